"""Packs of aligned faces."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from ferclean.errors import FercleanError
from ferclean.tables.face_packs import (
    EncodedFaces,
    encode_face,
    face_pack_writer,
    read_face_pack,
)
from fixtures.packs import write_faces

ENCODINGS = ("raw", "png", "jpeg")
SHAPES = st.tuples(
    st.integers(0, 5), st.integers(1, 6), st.sampled_from([1, 3])
)  # rows, size, channels


@given(
    faces=SHAPES.flatmap(lambda s: arrays.arrays(np.uint8, (s[0], s[1], s[1], s[2]))),
    encoding=st.sampled_from(["raw", "png"]),
)
def test_faces_come_back(tmp_path_factory, faces, encoding):
    path = tmp_path_factory.mktemp("pack") / "faces.pack"
    write_faces(path, faces, encoding)
    read = read_face_pack(path)
    assert read.shape == faces.shape and len(read) == len(faces)
    everything = read[np.arange(len(faces))]
    np.testing.assert_array_equal(everything, faces)
    assert everything.dtype == np.uint8


def smooth_faces(rows=300, size=24, channels=3):
    """Return faces without sharp edges, as photographs are."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (rows, 3, 3, channels), dtype=np.uint8)
    resize = Image.Resampling.BICUBIC
    faces = [
        np.asarray(Image.fromarray(face.squeeze()).resize((size, size), resize)) for face in coarse
    ]
    return np.stack(faces).reshape(rows, size, size, channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_faces_are_what_pillow_reads_and_nearly_the_faces(tmp_path, channels):
    faces = smooth_faces(channels=channels)
    write_faces(tmp_path / "faces.pack", faces, "jpeg")
    write_faces(tmp_path / "raw.pack", faces, "raw")
    read = read_face_pack(tmp_path / "faces.pack")
    assert isinstance(read, EncodedFaces) and read.shape == faces.shape
    found = read[:]
    assert np.abs(found.astype(int) - faces).mean() < 2
    assert read.are_jpeg
    write_faces(tmp_path / "png.pack", faces[:2], "png")
    write_faces(tmp_path / "none.pack", faces[:0], "jpeg")
    assert not EncodedFaces(tmp_path / "png.pack").are_jpeg
    assert not EncodedFaces(tmp_path / "none.pack").are_jpeg
    with Image.open(io.BytesIO(read.encoded(7))) as picture:
        assert picture.format == "JPEG"
        np.testing.assert_array_equal(np.asarray(picture).reshape(found[7].shape), found[7])
    assert (tmp_path / "faces.pack").stat().st_size < (tmp_path / "raw.pack").stat().st_size


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_are_addressed_like_an_array(tmp_path, encoding):
    faces = smooth_faces()  # more than one record batch
    write_faces(tmp_path / "faces.pack", faces, encoding)
    read = read_face_pack(tmp_path / "faces.pack")
    whole = np.stack([read[row] for row in range(len(faces))])
    rows = np.array([299, 0, 256, 255, 0])
    np.testing.assert_array_equal(read[rows], whole[rows])
    np.testing.assert_array_equal(read[250:260], whole[250:260])
    np.testing.assert_array_equal(read[np.int64(-1)], whole[-1])
    assert read[rows[:0]].shape == (0, 24, 24, 3)
    for absent in (300, np.array([0, 300])):
        with pytest.raises(IndexError):
            read[absent]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_same_faces_give_the_same_bytes(tmp_path, encoding):
    for name in ("a", "b"):
        write_faces(tmp_path / name, smooth_faces(20), encoding)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_raw_pack_is_a_numpy_file(tmp_path):
    faces = smooth_faces(123)
    write_faces(tmp_path / "faces.pack", faces)
    np.save(tmp_path / "all.npy", faces)
    assert (tmp_path / "faces.pack").read_bytes() == (tmp_path / "all.npy").read_bytes()
    read = read_face_pack(tmp_path / "faces.pack")
    assert isinstance(read, np.ndarray) and isinstance(read.base, np.memmap)
    assert not read.flags.writeable


def test_faces_are_written_as_they_come(tmp_path):
    with face_pack_writer(tmp_path / "f", size=24, channels=3, encoding="png") as writer:
        for number, face in enumerate(smooth_faces(600)):
            assert writer.rows == number
            writer.append(encode_face(face, "png"))
            assert len(writer._waiting) <= 256
    assert len(read_face_pack(tmp_path / "f")) == 600


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_strides_are_written_in_order(tmp_path, encoding):
    face = smooth_faces(1)[0].transpose(1, 0, 2)
    write_faces(tmp_path / "f", face[None], encoding)
    write_faces(tmp_path / "g", np.ascontiguousarray(face)[None], encoding)
    assert (tmp_path / "f").read_bytes() == (tmp_path / "g").read_bytes()


@pytest.mark.parametrize(
    "face",
    [
        np.zeros((3, 3), np.uint8),
        np.zeros((3, 3, 2), np.uint8),
        np.zeros((3, 3, 1), np.float32),
    ],
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_only_faces_are_packed(face, encoding):
    with pytest.raises(ValueError, match=r"a face must be \(H, W, 1 or 3\) uint8"):
        encode_face(face, encoding)


def test_a_raw_face_of_another_size_is_refused_and_leaves_no_file(tmp_path):
    with (
        pytest.raises(ValueError, match="a face must be"),
        face_pack_writer(tmp_path / "f", size=6, channels=3, encoding="raw") as writer,
    ):
        writer.append(bytes(36))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("face", "said"),
    [
        (b"", "face 1 cannot be decoded"),
        (b"no picture", "face 1 cannot be decoded"),
        (encode_face(np.zeros((6, 6, 3), np.uint8), "png")[:45], "face 1 cannot be decoded"),
        (encode_face(np.zeros((5, 6, 3), np.uint8), "png"), r"\(6, 5\) RGB in a pack of \(6, 6, 3"),
        (encode_face(np.zeros((6, 6, 1), np.uint8), "png"), r"\(6, 6\) L in a pack of"),
    ],
)
def test_a_broken_face_is_named(tmp_path, face, said):
    with face_pack_writer(tmp_path / "f", size=6, channels=3, encoding="png") as writer:
        writer.append(encode_face(np.zeros((6, 6, 3), np.uint8), "png"))
        writer.append(face)
    read = read_face_pack(tmp_path / "f")
    assert read[0].shape == (6, 6, 3)
    with pytest.raises(FercleanError, match=said):
        read[1]


@pytest.mark.parametrize("metadata", [None, {}, {b"ferclean_face_shape": b"[4, 4]"}])
def test_another_arrow_file_is_no_face_pack(tmp_path, metadata):
    schema = pa.schema([("face", pa.large_binary())], metadata=metadata)
    with pa.OSFile(str(tmp_path / "x"), "wb") as sink, pa.ipc.new_file(sink, schema):
        pass
    with pytest.raises(FercleanError, match="is not a face pack but another Arrow file"):
        read_face_pack(tmp_path / "x")


@pytest.mark.parametrize("faces", [np.zeros((2, 3, 3), np.uint8), np.zeros(3), np.zeros(())])
def test_another_array_is_no_face_pack(tmp_path, faces):
    np.save(tmp_path / "other.npy", faces)
    with pytest.raises(FercleanError, match=r"other\.npy must hold \(N, H, W, C\) uint8"):
        read_face_pack(tmp_path / "other.npy")


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([print, {}], dtype=object))
    with pytest.raises(FercleanError, match="is not a face pack"):
        read_face_pack(tmp_path / "x.npy")


def test_an_archive_is_no_face_pack(tmp_path):
    np.savez(tmp_path / "x.npz", faces=np.zeros((1, 2, 2, 1), np.uint8))
    with pytest.raises(FercleanError, match="is not a face pack but an archive"):
        read_face_pack(tmp_path / "x.npz")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_a_cut_face_pack_is_named(tmp_path, encoding):
    path = tmp_path / "faces.pack"
    write_faces(path, np.zeros((5, 4, 4, 1), np.uint8), encoding)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FercleanError, match="is not a face pack"):
            read_face_pack(path)


def test_a_missing_face_pack_is_named(tmp_path):
    with pytest.raises(FercleanError, match=r"face pack not found: .*absent\.pack"):
        read_face_pack(tmp_path / "absent.pack")
