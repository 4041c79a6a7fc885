"""What kind of data set a path is, and which classes it has, for those who named neither."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ferclean.config.data import TABLE_SEPARATORS, table_header
from ferclean.datasets.folders import folder_classes, holds_splits
from ferclean.datasets.tabular import read_columns
from ferclean.errors import FercleanError

_FER2013_COLUMNS = ("emotion", "pixels")
_FER2013_PARQUET = ("usage", "image_src", "image")
# More different labels than this are no classes but, say, file names.
_MOST_CLASSES = 1000


def guess_data_settings(path: Path) -> dict[str, Any]:
    """Return the section ``data`` for a folder or a table: ``source``, ``path``, ``classes``.

    Parameters
    ----------
    path : Path
        A folder of class folders, a table with columns ``path`` and ``label``, or FER2013 as its
        CSV or Parquet file.

    Returns
    -------
    dict
        Classes are the folders' names or the different labels, sorted; FER2013 has its own.

    Raises
    ------
    FercleanError
        If there is nothing, or nothing that is known.
    """
    if path.is_dir():
        return _described("image_folder", path, folder_classes(path))
    if not path.is_file():
        raise FercleanError(f"there is no folder or table at {path}")
    columns = _column_names(path)
    if columns.issuperset(_FER2013_COLUMNS):
        return {"source": "fer2013_csv", "path": str(path)}
    if columns.issuperset(_FER2013_PARQUET):
        return {"source": "fer2013_parquet", "path": str(path)}
    if columns.issuperset(("path", "label")):
        return _described("table", path, _table_classes(path))
    raise FercleanError(
        f"{path} has neither the columns path and label nor those of FER2013; "
        f"found {', '.join(sorted(columns)[:8])}"
    )


def _described(source: str, path: Path, classes: list[str]) -> dict[str, Any]:
    if not 2 <= len(classes) <= _MOST_CLASSES:
        splits = source == "image_folder" and holds_splits(path)
        raise FercleanError(
            f"{path} holds {len(classes)} different labels, but 2 to {_MOST_CLASSES} classes are "
            "needed" + ("; folders called train, val or test are splits, not classes" * splits)
        )
    by_case: dict[str, str] = {}
    for name in classes:
        if name != name.strip():
            raise FercleanError(f"{path}: the class {name!r} has blanks at its ends: rename it")
        if other := by_case.get(name.lower()):
            raise FercleanError(f"{path}: the classes {other!r} and {name!r} are one: rename one")
        by_case[name.lower()] = name
    return {"source": source, "path": str(path), "classes": classes}


def _column_names(path: Path) -> set[str]:
    if path.suffix.lower() not in (*TABLE_SEPARATORS, ".parquet"):
        raise FercleanError(f"{path} must be a folder or end in .csv, .tsv or .parquet")
    try:
        return set(table_header(path))
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's are ValueErrors or OSErrors
        raise FercleanError(f"cannot read {path}: {str(error).splitlines()[0]}") from None


def _table_classes(path: Path) -> list[str]:
    labels = read_columns(path, ("label",))["label"].dropna().str.strip()
    return sorted(set(labels) - {""})
