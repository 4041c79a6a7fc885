"""Packs of pictures and of faces."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ferclean.errors import FercleanError
from ferclean.tables.packs import EncodedPack, read_raw_pack, write_encoded_pack, write_raw_pack

NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@given(
    pictures=st.dictionaries(NAMES, st.binary(max_size=40), max_size=12),
    rows_per_batch=st.integers(1, 5),
)
def test_pictures_come_back(tmp_path_factory, pictures, rows_per_batch):
    path = tmp_path_factory.mktemp("pack") / "pictures.arrow"
    written = write_encoded_pack(path, iter(pictures.items()), rows_per_batch)
    pack = EncodedPack(path)
    assert written == len(pack) == len(pictures)
    for name, picture in pictures.items():
        assert name in pack
        assert pack.picture(name) == picture


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    pictures = [(str(i), bytes([i]) * i) for i in range(50)]
    for name in ("a", "b"):
        write_encoded_pack(tmp_path / name, pictures, 7)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_pictures_are_streamed(tmp_path):
    waiting = 0
    most = 0

    def pictures():
        nonlocal waiting, most
        for i in range(100):
            waiting += 1
            most = max(most, waiting)
            yield str(i), b"x"
            waiting -= 1

    assert write_encoded_pack(tmp_path / "x.arrow", pictures(), 10) == 100
    assert most == 1


def test_a_source_that_fails_leaves_no_pack(tmp_path):
    def pictures():
        yield "a", b"x"
        raise FercleanError("source broke")

    with pytest.raises(FercleanError, match="source broke"):
        write_encoded_pack(tmp_path / "x.arrow", pictures())
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_picture_is_named(tmp_path):
    write_encoded_pack(tmp_path / "x.arrow", [("a", b"x")])
    pack = EncodedPack(tmp_path / "x.arrow")
    assert "b" not in pack
    with pytest.raises(FercleanError, match=r"x\.arrow holds no picture 'b'"):
        pack.picture("b")


def other_arrow(path, schema) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema):
        pass


@pytest.mark.parametrize("content", [b"", b"ARROW1\x00\x00", b"\x00" * 100, b"text"])
def test_what_is_no_pack_is_named(tmp_path, content):
    path = tmp_path / "x.arrow"
    path.write_bytes(content)
    with pytest.raises(FercleanError, match=r"cannot read picture pack .*x\.arrow"):
        EncodedPack(path)


def test_a_cut_pack_is_named(tmp_path):
    path = tmp_path / "x.arrow"
    write_encoded_pack(path, [(str(i), b"x" * 100) for i in range(20)])
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(FercleanError, match="cannot read picture pack"):
            EncodedPack(path)


@pytest.mark.parametrize(
    "columns",
    [
        [("sample_id", pa.string())],
        [("sample_id", pa.int64()), ("picture", pa.large_binary())],
        [("sample_id", pa.string()), ("picture", pa.string())],
    ],
)
def test_an_arrow_file_of_other_columns_is_no_pack(tmp_path, columns):
    other_arrow(tmp_path / "x.arrow", pa.schema(columns))
    with pytest.raises(FercleanError, match="is not a picture pack"):
        EncodedPack(tmp_path / "x.arrow")


def test_a_missing_pack_is_named(tmp_path):
    with pytest.raises(FercleanError, match="cannot read picture pack"):
        EncodedPack(tmp_path / "absent.arrow")
    with pytest.raises(FercleanError, match="cannot read picture pack"):
        EncodedPack(tmp_path)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=4, max_dims=4, min_side=0, max_side=5)))
def test_faces_come_back(tmp_path_factory, faces):
    path = tmp_path_factory.mktemp("pack") / "faces.npy"
    write_raw_pack(path, faces)
    read = read_raw_pack(path)
    np.testing.assert_array_equal(read, faces)
    assert read.dtype == np.uint8
    assert not read.flags.writeable


def test_faces_are_mapped_and_not_loaded(tmp_path):
    write_raw_pack(tmp_path / "faces.npy", np.zeros((3, 4, 4, 1), np.uint8))
    assert isinstance(read_raw_pack(tmp_path / "faces.npy").base, np.memmap)


@pytest.mark.parametrize(
    "faces", [np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 3, 1), np.float32), np.zeros(())]
)
def test_only_faces_are_packed(tmp_path, faces):
    with pytest.raises(ValueError, match=r"faces must be \(N, H, W, C\) uint8"):
        write_raw_pack(tmp_path / "faces.npy", faces)
    np.save(tmp_path / "other.npy", faces)
    with pytest.raises(FercleanError, match=r"other\.npy must hold \(N, H, W, C\) uint8"):
        read_raw_pack(tmp_path / "other.npy")


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([print, {}], dtype=object))
    with pytest.raises(FercleanError, match="is not a face pack"):
        read_raw_pack(tmp_path / "x.npy")


def test_an_archive_is_no_face_pack(tmp_path):
    np.savez(tmp_path / "x.npz", faces=np.zeros((1, 2, 2, 1), np.uint8))
    with pytest.raises(FercleanError, match="is not a face pack but an archive"):
        read_raw_pack(tmp_path / "x.npz")


def test_a_cut_face_pack_is_named(tmp_path):
    path = tmp_path / "faces.npy"
    write_raw_pack(path, np.zeros((5, 4, 4, 1), np.uint8))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FercleanError, match="is not a face pack"):
            read_raw_pack(path)


def test_a_missing_face_pack_is_named(tmp_path):
    with pytest.raises(FercleanError, match=r"face pack not found: .*absent\.npy"):
        read_raw_pack(tmp_path / "absent.npy")
