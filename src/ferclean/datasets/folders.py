"""Class folders: ``root/class/picture`` or ``root/split/class/picture``."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import SPLIT_NAMES, Source, first_reason, resolve_labels, resolve_splits
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import read_each, resolved_folder
from ferclean.errors import FercleanError

_NOT_DATA = {"thumbs.db", "desktop.ini"}


def read_image_folder(settings: DataSettings) -> Source:
    """Read a tree of class folders, as torchvision's ``ImageFolder`` has it.

    When a folder at the top is named train, val, valid, validation or test (any case), the top
    level holds splits and the class folders lie below; otherwise all rows are training rows.
    Folders inside a class folder belong to it. Hidden files are passed over; any other file is a
    row, so that a stray one is seen in the quarantine table. The path inside the root is the
    sample's id.

    Raises
    ------
    FercleanError
        If the root is no folder or cannot be listed.
    """
    root = resolved_folder(settings.path)
    if not root.is_dir():
        raise FercleanError(f"data.path must be a folder of class folders, found {root}")
    files = list_files(root)
    frame = _rows(files, holds_splits(root), settings)
    return Source(root.name, frame, read_each(root, frame, max_pixels=settings.max_pixels))


def folder_classes(root: Path) -> list[str]:
    """Return the names of a tree's class folders, sorted, see :func:`read_image_folder`."""
    depth = int(holds_splits(root))
    parts = [PurePosixPath(name).parts for name in list_files(root)]
    return sorted({names[depth] for names in parts if len(names) > depth + 1})


def holds_splits(root: Path) -> bool:
    """Tell whether a tree's first folders are splits, by their names."""
    return any(top.name.lower() in SPLIT_NAMES for top in root.iterdir() if top.is_dir())


def list_files(root: Path) -> list[str]:
    """List all files below a folder as sorted relative POSIX paths, hidden ones left out.

    A link to a folder is not followed; it is listed with a slash at its end.
    """
    found = []

    def refuse(error: OSError) -> None:
        raise FercleanError(f"cannot list {error.filename}: {error.strerror}")

    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name + "/" for name in folders if (Path(folder) / name).is_symlink()]
        inside = Path(folder).relative_to(root).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        found += [
            prefix + name
            for name in files + links
            if not name.startswith(".") and name.lower() not in _NOT_DATA
        ]
    return sorted(found)


def _rows(files: list[str], has_splits: bool, settings: DataSettings) -> pd.DataFrame:
    depth = 1 if has_splits else 0
    parts = [PurePosixPath(printable_name(name)).parts for name in files]
    labels = pd.Series([p[depth] if len(p) > depth + 1 else None for p in parts], dtype=object)
    splits = pd.Series(
        [p[0] if has_splits and len(p) > 1 else "train" for p in parts], dtype=object
    )
    split, split_reasons = resolve_splits(splits)
    given, label_reasons = resolve_labels(labels, label_lookup(settings.classes))
    printable = [printable_name(name) for name in files]
    name_reasons = pd.Series(
        [name_trouble(name) for name in files],
        dtype=object,
    )
    return pd.DataFrame(
        {
            "sample_id": printable,
            "path": printable,
            "split": split,
            "given": given,
            "reason": first_reason(name_reasons, split_reasons, label_reasons),
        }
    )


def name_trouble(name: str) -> str | None:
    """Return why a file that :func:`list_files` found cannot be a row, by its name alone."""
    if name.endswith("/"):
        return "link to a folder is not followed"
    return None if name == printable_name(name) else "file name is not valid UTF-8"


def printable_name(name: str) -> str:
    """Return a file's name as a table can store it.

    Undecodable bytes arrive as lone surrogates, which it cannot; as escapes they name no file.
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
