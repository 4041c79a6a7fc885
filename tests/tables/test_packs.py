"""Packs of pictures as they came."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.errors import FercleanError
from ferclean.tables.packs import EncodedPack
from fixtures.packs import write_encoded_pack

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
