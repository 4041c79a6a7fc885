"""A CSV or Parquet table of picture paths and labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ferclean.config.data import TABLE_COLUMNS, TABLE_SEPARATORS, DataSettings
from ferclean.datasets.base import Source, first_reason, resolve_labels, resolve_splits
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import (
    open_parquet,
    read_csv_rows,
    read_each,
    read_parquet_batches,
)
from ferclean.errors import FercleanError
from ferclean.progress import say
from ferclean.tables.labels import ANNOTATION_PREFIX

_REQUIRED, _OPTIONAL = TABLE_COLUMNS[:2], TABLE_COLUMNS[2:]


def read_table(settings: DataSettings) -> Source:
    """Read a table of paths and labels.

    It has the columns ``path`` and ``label``, and may have ``split``, ``sample_id``, ``true`` and
    ``identity``. Those that ``data.annotators`` names become ``annotation_<name>``; their cells may
    be empty. Other columns are not read.

    Paths are relative to the table's folder and must stay inside it, links resolved. Without
    ``split`` all rows are training rows; without ``sample_id`` the path is the id. ``true`` is
    read by evaluation only and may be empty; a training row whose true label is none of the
    classes stays, as one whose truth is unknown. ``identity`` says who is in the picture, so that
    no person is held out for validation in part.

    Raises
    ------
    FercleanError
        If the file cannot be read, is neither .csv, .tsv nor .parquet, or lacks a column.
    """
    path = Path(settings.path or "").absolute()
    found = read_columns(path, (*_REQUIRED, *settings.annotators))
    present = {name: found[name].notna().any() for name in _OPTIONAL}
    lookup = label_lookup(settings.classes)
    given, label_reasons = resolve_labels(found["label"], lookup)
    split, split_reasons = resolve_splits(
        found["split"] if present["split"] else pd.Series("train", index=found.index, dtype=object)
    )
    path_reasons = _missing(found["path"], "path")
    ids = found["sample_id"] if present["sample_id"] else found["path"]
    frame = pd.DataFrame(
        {
            "sample_id": ids.fillna("").astype(object),
            "path": found["path"].fillna("").astype(object),
            "split": split,
            "given": given,
        }
    )
    reasons = [path_reasons, _missing(ids, "sample_id"), split_reasons, label_reasons]
    if present["true"]:
        frame["true"], wrong = _optional_labels(found["true"], lookup, "true label")
        # Only where nothing is trained: the truth must not choose what a network learns from.
        reasons.append(wrong.where(split == "test", None))
        _say_unknown(wrong[split != "test"].dropna())
    if present["identity"]:
        frame["identity"] = found["identity"].str.strip().replace("", None).astype(object)
    for name in settings.annotators:
        labels, wrong = _optional_labels(found[name], lookup, f"label of {name}")
        frame[ANNOTATION_PREFIX + name] = labels
        reasons.append(wrong)
    frame["reason"] = first_reason(*reasons)
    root = path.parent.resolve()
    return Source(path.stem, frame, read_each(root, frame, max_pixels=settings.max_pixels))


def _say_unknown(reasons: pd.Series) -> None:
    if len(reasons):
        say(f"the truth of {len(reasons)} rows counts as not known, the first: {reasons.iloc[0]}")


def _optional_labels(
    names: pd.Series, lookup: dict[str, str], what: str
) -> tuple[pd.Series, pd.Series]:
    """Resolve labels; an empty cell is a missing label and no fault of its row."""
    labels, reasons = resolve_labels(names, lookup, what)
    stated = names.fillna("").str.strip().ne("")
    return labels, reasons.where(stated, None)


def read_columns(path: Path, required: tuple[str, ...]) -> pd.DataFrame:
    """Read `required` and the optional columns of a table as text, ``None`` where a cell is empty.

    Raises
    ------
    FercleanError
        If the file cannot be read, is neither .csv, .tsv nor .parquet, or lacks a column.
    """
    suffix = path.suffix.lower()
    rows: Iterable[tuple[object, ...]]
    if suffix in TABLE_SEPARATORS:
        rows = read_csv_rows(path, required, _OPTIONAL, separator=TABLE_SEPARATORS[suffix])
    elif suffix == ".parquet":
        rows = _parquet_rows(path, required)
    else:
        raise FercleanError(f"data.path must be a .csv, .tsv or .parquet table, found {path}")
    return pd.DataFrame(list(rows), columns=[*required, *_OPTIONAL], dtype=object)


def _parquet_rows(path: Path, required: tuple[str, ...]) -> Iterable[tuple[object, ...]]:
    file = open_parquet(path, required, _OPTIONAL)
    present = [n for n in (*required, *_OPTIONAL) if n in file.schema_arrow.names]
    for batch in read_parquet_batches(file, path, present):
        columns = {name: batch.column(name).to_pylist() for name in present}
        for row in range(batch.num_rows):
            yield tuple(
                None
                if name not in columns or columns[name][row] is None
                else str(columns[name][row])
                for name in (*required, *_OPTIONAL)
            )


def _missing(values: pd.Series, what: str) -> pd.Series:
    missing = values.isna() | values.astype(str).str.strip().eq("")
    return missing.map({True: f"missing {what}", False: None}).astype(object)
