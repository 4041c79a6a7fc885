"""Which files a person means by photographs, folders and patterns."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ferclean.datasets.files import read_inside
from ferclean.datasets.folders import list_files
from ferclean.datasets.pictures import PictureError, decode_picture
from ferclean.errors import FercleanError
from ferclean.export.names import PICTURE_SUFFIXES


def find_photos(named: Sequence[str]) -> list[Path]:
    """List the photographs that are meant, each once.

    Parameters
    ----------
    named : sequence of str
        Files of any ending; folders, of which all files below with the ending of a picture are
        taken, hidden ones left out; patterns such as ``holiday/**/*.jpg``.

    Returns
    -------
    list of Path
        In the order of `named`, those of a folder or pattern sorted.

    Raises
    ------
    FercleanError
        If a name stands for no file at all.
    """
    found: dict[Path, None] = {}
    for name in named:
        files = _files_of(name)
        if not files:
            raise FercleanError(f"there is no photograph at {name}")
        found.update(dict.fromkeys(files))
    return list(found)


def _files_of(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        return _pictures_below(path)
    if path.exists() or not glob.has_magic(name):
        return [path] if path.exists() else []
    matches = [Path(match) for match in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207
    return [match for match in matches if match.is_file()]


def _pictures_below(folder: Path) -> list[Path]:
    files = [folder / name for name in list_files(folder)]
    return [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file()]


def read_photo(path: Path, *, max_pixels: int) -> bytes | PictureError:
    """Return a photograph's bytes, or why there are none; see :func:`read_inside`."""
    try:
        # The person named this very file, so links are theirs to follow.
        whole = path.resolve()
        return read_inside(whole.parent, whole.name, max_pixels=max_pixels)
    except PictureError as error:
        return error
    except (OSError, RuntimeError, ValueError) as error:  # link loops, NUL in a name
        return PictureError(f"unusable path: {error}")


def decode_photo(path: Path, *, max_pixels: int) -> np.ndarray | PictureError:
    """Return a photograph as ``(H, W, 3)`` uint8, upright, or why it cannot be read."""
    data = read_photo(path, max_pixels=max_pixels)
    if isinstance(data, PictureError):
        return data
    try:
        return decode_picture(data, max_pixels=max_pixels)
    except PictureError as error:
        return error
