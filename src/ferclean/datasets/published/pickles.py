"""Read pickled tables of numbers, texts and arrays, and run nothing that they name."""

from __future__ import annotations

import io
import math
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ferclean.errors import FercleanError
from ferclean.tables.inputs import memo_is_honest

LARGEST_LABEL_FILE = 100 * 2**20  # the published ones have 2.4 MB at most
_PLAIN_NUMBERS = re.compile(r"[biu][1248]|f[248]")  # no objects, no records, no texts
_BYTE_ORDERS = ("<", ">", "=", "|")
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # the first of the pickles that torch.save wrote before 1.6
_PICKLES_BEFORE_THE_OBJECT = 2  # after it: the version of the form, and facts about the machine


class _NotPlainError(Exception):
    """The file holds something else than plain data; says what, as the end of a sentence."""


class _DataType:
    """Stands for ``numpy.dtype``: numpy itself is never called with what a file says."""

    def __init__(self, name: object = None, *_: object) -> None:
        self.name, self.order = _text(name), "|"

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1:
            self.order = _text(state[1])

    def resolve(self) -> np.dtype:
        if not _PLAIN_NUMBERS.fullmatch(self.name) or self.order not in _BYTE_ORDERS:
            raise _NotPlainError("holds an array of something else than numbers")
        return np.dtype(self.order + self.name)


class _Array:
    """Stands for ``numpy.ndarray``; takes its content only where it is exactly as announced."""

    def __init__(self, *_: object) -> None:
        self.values: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _NotPlainError("holds an array in an unknown form")
        _, shape, kind, columns_first, content = state
        if (
            not isinstance(shape, tuple)
            or not all(type(length) is int and length >= 0 for length in shape)
            or not isinstance(kind, _DataType)
            or not isinstance(content, bytes)
        ):
            raise _NotPlainError("holds an array in an unknown form")
        data_type = kind.resolve()
        if math.prod(shape) * data_type.itemsize != len(content):
            raise _NotPlainError("holds an array that is not as large as it announces")
        order = "F" if columns_first else "C"
        self.values = np.frombuffer(content, data_type).reshape(shape, order=order)  # type: ignore[call-overload]


class _Maker:
    """What a name stands for: can be called, but a file cannot change it for later ones."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., object]) -> None:
        self._make = make

    def __call__(self, *values: object) -> object:
        return self._make(*values)

    def __setstate__(self, state: object) -> None:
        raise _NotPlainError("changes a function")


def _text(value: object) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _encode(text: object, encoding: object = "latin1") -> bytes:
    # How Python 3 writes bytes for Python 2; any other codec could do more than that.
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1", "latin-1"):
        raise _NotPlainError("uses a codec other than latin1")
    return text.encode("latin1")


def _not_callable(*_: object) -> object:
    raise _NotPlainError("makes an array other than by its content")


# All that pickles of numpy 1 and 2, written by Python 2 and 3, name.
_ALLOWED: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _not_callable,
    ("numpy", "dtype"): _DataType,
    ("_codecs", "encode"): _encode,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> _Maker:
        make = _ALLOWED.get((module_name, global_name))
        if make is None:
            shown = f"{module_name}.{global_name}"[:80]
            raise _NotPlainError(f"names {shown!r}, which a table of numbers does not need")
        return _Maker(make)


def load_pickle(data: bytes, path: Path, *, origin: str) -> dict[str, object]:
    """Load a pickled dictionary without running anything it names.

    Parameters
    ----------
    data : bytes
        The pickle, of any protocol, written by Python 2 or 3.
    path : Path
        Where it comes from, for messages.
    origin : str
        Where to get the right file, for messages.

    Returns
    -------
    dict
        Keys as text. Values as they were written: Python 2's texts are bytes, arrays of numbers are
        read-only :class:`numpy.ndarray`.

    Raises
    ------
    FercleanError
        If it is damaged, no dictionary, or names anything but numpy's arrays.
    """
    return _guarded(lambda: _table(_load(io.BytesIO(data))), path, origin)


def load_torch(data: bytes, path: Path, *, origin: str) -> dict[str, object]:
    """Load a dictionary of arrays that ``torch.save`` wrote, without torch.

    Both of its forms are read: a zip archive, and before torch 1.6 a row of pickles. Arrays of
    numpy are pickled as such in either; tensors are not read. Parameters, result and errors are
    those of :func:`load_pickle`.
    """
    return _guarded(lambda: _table(_load_torch(data)), path, origin)


def _guarded(read: Callable[[], dict[str, object]], path: Path, origin: str) -> dict[str, object]:
    try:
        return read()
    except _NotPlainError as error:
        what = f"{path} {error}, so it was not read"
    # A file that is none makes unpicklers raise nearly anything, MemoryError included.
    except Exception as error:
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        what = f"{path} is damaged or no such file at all ({detail})"
    raise FercleanError(f"{what}; get the publishers' file from {origin}")


def _load(stream: BinaryIO) -> Any:
    """Load the next pickle of a stream."""
    if not memo_is_honest(stream):
        raise _NotPlainError("numbers more objects than it can hold")
    return _PlainUnpickler(stream, encoding="bytes").load()


def _load_torch(data: bytes) -> Any:
    stream = io.BytesIO(data)
    if not zipfile.is_zipfile(stream):
        stream.seek(0)
        if _load(stream) != _TORCH_MAGIC:
            raise _NotPlainError("is not a file that torch.save wrote")
        for _ in range(_PICKLES_BEFORE_THE_OBJECT):
            _load(stream)
        return _load(stream)
    with zipfile.ZipFile(stream) as archive:
        found = [each for each in archive.infolist() if each.filename.endswith("/data.pkl")]
        if len(found) != 1:
            raise _NotPlainError("is a zip archive, but not one that torch.save wrote")
        # Reading stops at the announced size, so that nothing larger is unpacked either.
        if found[0].file_size > LARGEST_LABEL_FILE:
            raise _NotPlainError(f"announces {found[0].file_size} bytes of labels")
        pickled = archive.read(found[0])
    return _load(io.BytesIO(pickled))


def _table(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise _NotPlainError("holds no table of named values")
    table: dict[str, object] = {}
    for name, value in found.items():
        if not isinstance(name, str | bytes):
            raise _NotPlainError("holds no table of named values")
        if isinstance(value, _Array) and value.values is None:
            raise _NotPlainError("holds an array without content")
        table[_text(name)] = value.values if isinstance(value, _Array) else value
    return table
