from __future__ import annotations

import numpy as np
import pytest

from ferclean.faces.pack import face_pack_writer
from ferclean.tables.packs import read_raw_pack, write_raw_pack


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 123])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_bytes_are_those_of_writing_all_at_once(tmp_path, rows, channels):
    shape = (rows, 6, 6, channels)
    faces = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with face_pack_writer(tmp_path / "one.npy", size=6, channels=channels) as writer:
        for face in faces:
            writer.append(face)
    write_raw_pack(tmp_path / "all.npy", faces)
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "all.npy").read_bytes()
    np.testing.assert_array_equal(read_raw_pack(tmp_path / "one.npy"), faces)


def test_a_face_of_another_shape_is_refused_and_leaves_no_file(tmp_path):
    with (
        pytest.raises(ValueError, match="a face must be"),
        face_pack_writer(tmp_path / "f.npy", size=6, channels=3) as writer,
    ):
        writer.append(np.zeros((6, 6, 1), dtype=np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_other_strides_are_written_in_order(tmp_path):
    face = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    with face_pack_writer(tmp_path / "f.npy", size=3, channels=3) as writer:
        writer.append(face.transpose(1, 0, 2))
    np.testing.assert_array_equal(read_raw_pack(tmp_path / "f.npy")[0], face.transpose(1, 0, 2))
