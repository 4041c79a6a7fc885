from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ferclean.datasets.published import pickles
from ferclean.datasets.published.pickles import load_pickle, load_torch
from ferclean.errors import FercleanError
from fixtures.python2_pickles import python2_pickle

PATH, ORIGIN = Path("/data/batch"), "https://example.org/data"
ARRAYS = {
    "pictures": np.arange(24, dtype=np.uint8).reshape(4, 6),
    "labels": np.array([3, -1, 2**40]),
    "swapped": np.array([1, 2, 258], dtype=">i4"),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "flags": np.array([True, False]),
    "none": np.zeros((0, 3), dtype=np.int32) + 1,
}


def load(data):
    return load_pickle(data, PATH, origin=ORIGIN)


def same(found, wanted):
    return found.dtype == wanted.dtype and np.array_equal(found, wanted)


class Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *values):
        self.call = function, values

    def __reduce__(self):
        return self.call


def array_pickle(state):
    """Pickle a table with one array in any state; ``state`` is what follows its making."""
    return (
        b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\n"
        b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R" + state + b"s."
    )


U1 = (
    b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)


def test_the_writer_of_these_tests_writes_what_python_reads():
    value = {b"data": np.arange(300, dtype=np.int64).reshape(3, 100), b"names": [b"a\xe9", 5]}
    read = pickle.loads(python2_pickle(value), encoding="bytes")  # noqa: S301
    assert list(read) == [b"data", b"names"] and read[b"names"] == [b"a\xe9", 5]
    assert same(read[b"data"], value[b"data"])


def test_tables_of_python_2():
    pictures = np.arange(600, dtype=np.uint8).reshape(2, 300)
    table = {b"data": pictures, b"labels": [6, 9, -4], b"filenames": [b"caf\xe9.png", b"x" * 300]}
    found = load(python2_pickle(table))
    assert list(found) == ["data", "labels", "filenames"]
    assert same(found["data"], pictures)
    assert found["labels"] == [6, 9, -4]
    assert found["filenames"] == [b"caf\xe9.png", b"x" * 300]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("keys", [str, str.encode])
def test_tables_of_python_3(protocol, keys):
    arrays = {name: array for name, array in ARRAYS.items() if array.size or protocol > 2}
    table = {keys(name): array for name, array in arrays.items()} | {
        keys("list"): [1, "é", b"\xe9"]
    }
    found = load(pickle.dumps(table, protocol))
    assert list(found) == [*arrays, "list"]
    assert found["list"] == [1, "é", b"\xe9"]
    for name, array in arrays.items():
        assert same(found[name], array), name


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_both_names_of_numpys_module(module):
    data = pickle.dumps({"data": ARRAYS["labels"]}, 2)
    data = data.replace(b"numpy._core.multiarray", module.encode())
    assert module.encode() in data
    assert same(load(data)["data"], ARRAYS["labels"])


@pytest.mark.parametrize("place", ["alone", "in a table", "as a key", "in an array"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_no_function_runs(tmp_path, place, protocol):
    witness = tmp_path / "ran"
    call = Call(os.system, f"touch {witness}")
    table = {
        "alone": call,
        "in a table": {b"data": [call]},
        "as a key": {(call,): 1},
        "in an array": {b"data": np.array([call, None], dtype=object)},
    }[place]
    data = pickle.dumps(table, protocol)
    with pytest.raises(FercleanError, match=r"^/data/batch names '(posix|nt)\.system', which"):
        load(data)
    assert not witness.exists()
    if place == "alone":  # so that the test would see it run
        pickle.loads(data)  # noqa: S301
        assert witness.exists()


@pytest.mark.parametrize(
    ("function", "values"),
    [
        (eval, ("1 + 1",)),
        (getattr, ({}, "get")),
        (np.load, ("x.npy",)),
        (np.zeros, (3,)),
        (np.frombuffer, (b"1234", "u1")),
        (open, ("x", "w")),
        (__import__, ("os",)),
        (bytearray, (10**12,)),
    ],
)
def test_every_other_name_is_refused(function, values, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FercleanError, match=r"names '[\w.]+', which a table of numbers"):
        load(pickle.dumps({"data": Call(function, *values)}, 2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("pickled", "said"),
    [
        (b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.", "makes an array other than by its"),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.", "latin1"),
        (b"\x80\x02c_codecs\nencode\n}U\x01a\x86R.", "uses a codec other than latin1"),
        (b"\x80\x02cos\nsystem\n.", "names 'os.system'"),
        (b"\x80\x02c__builtin__\neval\n.", "names '__builtin__.eval'"),
        (b"\x80\x02cnumpy\ndtype.__class__\n.", "names 'numpy.dtype.__class__'"),
        (b"(i__builtin__\nexit\n.", "names '__builtin__.exit'"),
        (b"\x80\x02cnumpy\ndtype\n}U\x04nameU\x01xsb.", "changes a function"),
        (b"\x80\x02cnumpy\ndtype\nN}U\x05_makeU\x01xs\x86b.", "changes a function"),
    ],
)
def test_no_way_around(pickled, said):
    with pytest.raises(FercleanError, match=said):
        load(pickled)
    assert same(load(python2_pickle({b"a": ARRAYS["pictures"]}))["a"], ARRAYS["pictures"])


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (b"(K\x01J\xff\xff\xff\x7f\x85" + U1 + b"\x89U\x03abctb", "not as large as it announces"),
        (b"(K\x01\x8a\x09" + b"\xff" * 8 + b"\x00\x85" + U1 + b"\x89U\x03abctb", "not as large"),
        (b"(K\x01J\xff\xff\xff\xff\x85" + U1 + b"\x89U\x03abctb", "unknown form"),
        (b"(K\x01K\x03" + U1 + b"\x89U\x03abctb", "unknown form"),
        (b"(K\x01K\x03\x85U\x02u1\x89U\x03abctb", "unknown form"),
        (b"(K\x01K\x03\x85" + U1 + b"\x89](K\x01K\x02K\x03etb", "unknown form"),
        (b"(K\x03\x85" + U1 + b"\x89U\x03abctb", "unknown form"),
        (b"Nb", "unknown form"),
        (b"", "without content"),
    ],
)
def test_arrays_that_are_not_what_they_announce(state, said):
    honest = b"(K\x01K\x03\x85" + U1 + b"\x89U\x03abctb"
    assert load(array_pickle(honest))["data"].tolist() == list(b"abc")
    with pytest.raises(FercleanError, match=rf"^/data/batch holds .*{said}.*https://example"):
        load(array_pickle(state))


@pytest.mark.parametrize("kind", [b"O8", b"V3", b"S3", b"u9", b"i8,i8", b"M8", b""])
def test_arrays_of_something_else_than_numbers(kind):
    other = U1.replace(b"U\x02u1", b"U" + bytes([len(kind)]) + kind)
    with pytest.raises(FercleanError, match="array of something else than numbers"):
        load(array_pickle(b"(K\x01K\x03\x85" + other + b"\x89U\x03abctb"))


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"p2147483647\n"])
def test_a_memo_that_would_fill_the_memory(put):
    with pytest.raises(FercleanError, match="numbers more objects than it can hold"):
        load(b"\x80\x02}" + put + b".")
    assert load(b"\x80\x02}" + put[:1] + {b"r": b"\1\0\0\0", b"p": b"1\n"}[put[:1]] + b".") == {}


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"<html>not found</html>",
        b"\x80\x02}U\x04da",
        b"\x80\x02}",
        b"\x80\x05\x8e\xff\xff\xff\xff\xff\xff\xff\x7fab.",  # announces 2**63 bytes
        b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00ab.",  # a bytearray of 2**40
        b"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.",
        b"\x80\x02Q.",
        b"\x80\x02h\x05.",
        b"\x80\x02}]K\x01s.",
    ],
)
def test_damaged_files_are_named(pickled):
    with pytest.raises(FercleanError, match=r"^/data/batch is damaged or no such .*; get the"):
        load(pickled)


def test_every_truncation_is_named():
    whole = python2_pickle({b"data": np.arange(6, dtype=np.uint8).reshape(2, 3), b"labels": [1, 2]})
    assert list(load(whole)) == ["data", "labels"]
    for end in range(len(whole)):
        with pytest.raises(FercleanError, match=r"^/data/batch "):
            load(whole[:end])


@pytest.mark.parametrize("table", [[1, 2], b"text", 5, None, {3: 4}, {("a",): 1}])
def test_what_is_no_table_is_refused(table):
    with pytest.raises(FercleanError, match="holds no table of named values"):
        load(pickle.dumps(table, 2))


def torch_zip(pickled, name="archive/data.pkl", **options):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as archive:
        archive.writestr(name, pickled)
        archive.writestr("archive/version", "3\n")
    return stream.getvalue()


@pytest.mark.parametrize("as_zip", [True, False])
def test_what_torch_saves_is_read_without_it(as_zip, tmp_path):
    torch = pytest.importorskip("torch")
    arrays = {name: array for name, array in ARRAYS.items() if array.size}
    torch.save(arrays, tmp_path / "x.pt", _use_new_zipfile_serialization=as_zip)
    data = (tmp_path / "x.pt").read_bytes()
    assert zipfile.is_zipfile(io.BytesIO(data)) == as_zip
    found = load_torch(data, PATH, origin=ORIGIN)
    assert list(found) == list(arrays)
    assert all(same(found[name], array) for name, array in arrays.items())


@pytest.mark.parametrize("as_zip", [True, False])
def test_tensors_are_refused(as_zip, tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(3)}, tmp_path / "x.pt", _use_new_zipfile_serialization=as_zip)
    with pytest.raises(FercleanError, match=r"names 'torch|is damaged"):
        load_torch((tmp_path / "x.pt").read_bytes(), PATH, origin=ORIGIN)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (torch_zip(b"", name="archive/other.pkl"), "not one that torch.save wrote"),
        (torch_zip(pickle.dumps({}, 2)[:-1]), "is damaged"),
        (torch_zip(pickle.dumps(Call(os.getcwd), 2)), r"names 'posix\.getcwd'"),
        (torch_zip(pickle.dumps({}, 2))[:-8], "not a file that torch.save|is damaged"),
        (pickle.dumps({"a": 1}, 2), "is not a file that torch.save wrote"),
        (b"", "is damaged"),
    ],
)
def test_archives_that_are_none(data, said):
    assert load_torch(torch_zip(pickle.dumps({"a": 1}, 2)), PATH, origin=ORIGIN) == {"a": 1}
    with pytest.raises(FercleanError, match=said):
        load_torch(data, PATH, origin=ORIGIN)


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(pickles, "LARGEST_LABEL_FILE", 2000)
    options = {"compression": zipfile.ZIP_DEFLATED}
    bomb = torch_zip(pickle.dumps({"a": b"\0" * 5000}, 3), **options)
    assert len(bomb) < 2000
    with pytest.raises(FercleanError, match=r"announces 50\d\d bytes of labels"):
        load_torch(bomb, PATH, origin=ORIGIN)
    small = torch_zip(pickle.dumps({"a": b"\0" * 500}, 3), **options)
    assert load_torch(small, PATH, origin=ORIGIN) == {"a": b"\0" * 500}


def test_an_archive_that_announces_less_than_it_unpacks_to_is_damaged():
    honest = pickle.dumps({"a": b"\0" * 5000}, 3)
    data = torch_zip(honest, compression=zipfile.ZIP_DEFLATED)
    size = struct.pack("<I", len(honest))
    assert data.count(size) == 2  # before the member and in the list at the end
    with pytest.raises(FercleanError, match="is damaged"):
        load_torch(data.replace(size, struct.pack("<I", 100)), PATH, origin=ORIGIN)
