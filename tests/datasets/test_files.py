from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferclean.datasets.files import open_parquet, read_csv_rows, read_inside
from ferclean.datasets.pictures import PictureError
from ferclean.errors import FercleanError


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "outside.png").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "a b" / "ü").mkdir(parents=True)
    (root / "a b" / "ü" / "x y.png").write_bytes(b"data")
    (root / "inner").symlink_to(root / "a b" / "ü" / "x y.png")
    (root / "escape.png").symlink_to(tmp_path / "outside.png")
    (root / "dangling").symlink_to(root / "nowhere")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe.png")
    return root


@pytest.mark.parametrize("name", ["a b/ü/x y.png", "inner", "a b/../a b/ü/x y.png"])
def test_files_inside_are_read(tree, name):
    assert read_inside(tree, name, max_pixels=10) == b"data"
    assert read_inside(tree, str(tree / name), max_pixels=10) == b"data"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../outside.png", "path leads outside the data folder"),
        ("a b/../../outside.png", "path leads outside the data folder"),
        ("escape.png", "path leads outside the data folder"),
        ("/etc/passwd", "path leads outside the data folder"),
        ("../../../../no/such/file", "path leads outside the data folder"),
        ("missing.png", "file not found"),
        ("dangling", "file not found"),
        ("a b", "not a regular file"),
        (".", "not a regular file"),
        ("pipe.png", "not a regular file"),
        ("loop", ""),
        ("x\0y", "unusable path"),
        ("x" * 5000, "cannot be read"),
        ("inner/below", ""),
    ],
)
def test_other_paths_get_a_reason(tree, name, reason):
    with pytest.raises(PictureError) as caught:
        read_inside(tree, name, max_pixels=10)
    assert caught.value.reason.startswith(reason)


def test_a_file_too_large_for_its_pixels_is_not_read(tree):
    with (tree / "huge.png").open("wb") as stream:
        stream.truncate(10**12)  # sparse
    with pytest.raises(PictureError, match="file too large"):
        read_inside(tree, "huge.png", max_pixels=1000)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,x\n2,\n",
        b"a,b\r\n1,x\r\n2,\r\n",
        b"\xef\xbb\xbfa,b\n1,x\n2,\n",
        b" a , b\n1, x\n2,\n",
        b"a,b\n\n1,x\n2,\n\n",
        b'"a","b"\n"1","x"\n2,""',
        b"z,b,a\n9,x,1\n9,,2\n",
    ],
)
def test_csv_dialects_read_the_same(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert list(read_csv_rows(path, ("a", "b"), ("c",))) == [("1", "x", None), ("2", "", None)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "column 'a' is missing (found: none)"),
        (b"x,b\n1,2\n", "column 'a' is missing (found: x, b)"),
        (b"a,b\n1\n", "line 2: expected 2 values (the header's columns), found 1"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: expected 2 values (the header's columns), found 3"),
        (b"a,b\n1,\xff\xfe\n", "is not UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16"), "is not UTF-8 text"),
        (b'a,b\n1,"open', "not valid CSV"),
        (b"a,b\n1," + b"9" * 200_000 + b"\n", "not valid CSV"),
    ],
)
def test_broken_csv_is_one_sentence_naming_the_file(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(FercleanError) as caught:
        list(read_csv_rows(path, ("a", "b")))
    assert message in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(FercleanError, match=r"cannot read .*none\.csv: No such file"):
        list(read_csv_rows(tmp_path / "none.csv", ("a",)))
    with pytest.raises(FercleanError, match="Is a directory"):
        list(read_csv_rows(tmp_path, ("a",)))
    with pytest.raises(FercleanError, match=r"none\.parquet"):
        open_parquet(tmp_path / "none.parquet", ("a",))
    (tmp_path / "text.parquet").write_text("a,b\n")
    with pytest.raises(FercleanError, match="as Parquet"):
        open_parquet(tmp_path / "text.parquet", ("a",))
    pq.write_table(pa.table({"b": [1]}), tmp_path / "other.parquet")
    with pytest.raises(FercleanError, match="column 'a' is missing"):
        open_parquet(tmp_path / "other.parquet", ("a",))
