"""Files of named label arrays: of ``torch.save``, ``.npz`` and ``.npy``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ferclean.datasets.published.pickles import LARGEST_LABEL_FILE, load_torch
from ferclean.errors import FercleanError

_TORCH_SUFFIXES = (".pt", ".pth")


def read_label_arrays(
    path: Path, names: Iterable[str], *, rows: int, origin: str
) -> dict[str, np.ndarray]:
    """Read some of a file's arrays of class numbers, one number a row.

    Parameters
    ----------
    path : Path
        ``.pt`` (of ``torch.save``; torch is not needed), ``.npz``, or ``.npy`` with named fields.
    names : iterable of str
        Arrays that must be there.
    rows : int
        Their length.
    origin : str
        Where to get the file, for messages.

    Returns
    -------
    dict of str to numpy.ndarray
        By name: ``(rows,)``, integers.

    Raises
    ------
    FercleanError
        If the file cannot be read, or an array is missing or of another length or type.
    """
    suffix = path.suffix.lower()
    if suffix not in (*_TORCH_SUFFIXES, ".npz", ".npy"):
        raise FercleanError(f"data.labels_path must name a .pt, .npz or .npy file, found {path}")
    data = _content(path)
    if suffix in _TORCH_SUFFIXES:
        found = load_torch(data, path, origin=origin)
    else:
        found = _load_numpy(data, path, list(names), origin)
    return {name: _checked(found, name, rows, path) for name in names}


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise FercleanError(f"data.labels_path {path} is no file: name the file of labels")
        size = path.stat().st_size
        if size > LARGEST_LABEL_FILE:
            raise FercleanError(f"{path} has {size} bytes, too many for a file of labels")
        return path.read_bytes()
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror}") from None


def _load_numpy(data: bytes, path: Path, names: list[str], origin: str) -> dict[str, object]:
    try:
        if path.suffix.lower() == ".npz":
            return _load_npz(data, path, names)
        found = np.load(io.BytesIO(data), allow_pickle=False)
        return {name: found[name] for name in found.dtype.names or ()}
    except FercleanError:
        raise
    # numpy, zipfile and zlib each have their own errors for a broken file; pickled objects, as in
    # the publishers' own .npy, are a ValueError.
    except Exception as error:
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        raise FercleanError(
            f"{path} holds no plain arrays of numbers ({detail}): use the .pt file of {origin}"
        ) from None


def _load_npz(data: bytes, path: Path, names: list[str]) -> dict[str, object]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.file_size > LARGEST_LABEL_FILE:
                raise FercleanError(
                    f"{path} announces {member.file_size} bytes in {member.filename[:80]!r}, too "
                    "many for labels, so it was not read"
                )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] if name in names else None for name in arrays.files}


def _checked(found: dict[str, object], name: str, rows: int, path: Path) -> np.ndarray:
    if name not in found:
        raise FercleanError(
            f"{path} has no labels {name!r} (found: {', '.join(list(found)[:20])[:200] or 'none'})"
        )
    array = found[name]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu":
        raise FercleanError(f"{path}: {name!r} must be an array of whole numbers")
    if array.shape not in ((rows,), (rows, 1)):
        raise FercleanError(
            f"{path}: {name!r} has the shape {array.shape}, but there are {rows} training "
            "pictures: the file must belong to the same data set, complete"
        )
    return array.ravel()
