"""What kind of data set a path is, and which classes it has, for those who named neither."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from ferclean.datasets.base import SPLIT_NAMES
from ferclean.datasets.files import open_parquet, read_csv_rows, read_parquet_batches
from ferclean.datasets.folders import list_files
from ferclean.errors import FercleanError

_TABLES = {".csv": ",", ".tsv": "\t"}
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
        return _described("image_folder", path, _folder_classes(path))
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
        raise FercleanError(
            f"{path} holds {len(classes)} different labels, but 2 to {_MOST_CLASSES} classes are "
            "needed"
        )
    return {"source": source, "path": str(path), "classes": classes}


def _folder_classes(root: Path) -> list[str]:
    parts = [PurePosixPath(name).parts for name in list_files(root)]
    has_splits = any(top.name.lower() in SPLIT_NAMES for top in root.iterdir() if top.is_dir())
    depth = 1 if has_splits else 0
    return sorted({names[depth] for names in parts if len(names) > depth + 1})


def _column_names(path: Path) -> set[str]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return set(open_parquet(path, ()).schema_arrow.names)
    if suffix not in _TABLES:
        raise FercleanError(f"{path} must be a folder or end in .csv, .tsv or .parquet")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
    except (OSError, ValueError) as error:
        raise FercleanError(f"cannot read {path}: {error}") from None
    return {name.strip().strip('"') for name in header.strip().split(_TABLES[suffix])}


def _table_classes(path: Path) -> list[str]:
    suffix = path.suffix.lower()
    labels: set[str] = set()
    if suffix == ".parquet":
        for batch in read_parquet_batches(open_parquet(path, ("label",)), path, ["label"]):
            labels.update(
                str(name) for name in batch.column("label").to_pylist() if name is not None
            )
    else:
        rows = read_csv_rows(path, ("label",), separator=_TABLES[suffix])
        labels.update(str(row[0]) for row in rows)
    return sorted(name.strip() for name in labels if name.strip())
