"""The label table: one row a sample, class order and data-set identity in the file itself.

Columns
-------
``sample_id`` (text, unique, the sort key), ``path``, ``split`` (``train``, ``val``, ``test``),
``given`` (label as received, never changed), ``observed`` (after noise injection), ``face_row``
(the row of the aligned face in ``faces.pack``), ``annotation_<name>`` (what a single annotator
said, never changed), and, for evaluation only, ``true``, ``votes_<class>`` and
``true_p_<class>``. Where people decided, ``reviewed_decision``, ``reviewed_label``,
``reviewed_by`` and ``reviewed_at`` say what, ``before_review`` is the label that would have been
observed and ``split_before_review`` the split; what is no face stands in the split ``excluded``.
The tables of a round add ``label``, ``clean_probability``, ``p_<class>``, ``weight``, ``action``
and ``reason``. Labels are dictionary-encoded class names; a missing label is null.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ferclean.errors import FercleanError
from ferclean.tables.atomic import atomic_path
from ferclean.tables.inputs import read_parquet_frame, read_parquet_schema

SPLITS = ("train", "val", "test")
EXCLUDED = "excluded"  # the split of rows that people took out
LABEL_COLUMNS = ("given", "observed", "true", "label", "reviewed_label", "before_review")
# Not `given`: where noise was injected it is the truth.
TRAINING_COLUMNS = ("sample_id", "path", "split", "observed", "face_row")
REVIEWED_COLUMNS = (
    "reviewed_decision",
    "reviewed_label",
    "reviewed_by",
    "reviewed_at",
    "before_review",
    "split_before_review",
)
ACTIONS = ("keep", "relabel", "soften", "drop")
ANNOTATION_PREFIX = "annotation_"  # before the names of single annotators
_WHAT = "label table"
_CLASSES_KEY, _DATASET_KEY = b"ferclean.classes", b"ferclean.dataset"


@dataclass(frozen=True)
class LabelTable:
    """A data frame together with its class order and the data set's name.

    Attributes
    ----------
    frame : pandas.DataFrame
        Rows sorted by ``sample_id``; label columns are categoricals over `classes`.
    classes : tuple of str
        Class names; code k stands for ``classes[k]``.
    dataset : str
        Name of the data set.
    """

    frame: pd.DataFrame
    classes: tuple[str, ...]
    dataset: str

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def annotations(self) -> tuple[str, ...]:
        """The columns of single annotators, in the table's order."""
        return tuple(name for name in self.frame.columns if name.startswith(ANNOTATION_PREFIX))

    def codes(self, column: str) -> np.ndarray:
        """Return class codes of a label column, ``(N,)`` int64, -1 where missing."""
        return np.asarray(self.frame[column].cat.codes, dtype=np.int64)

    def matrix(self, prefix: str) -> np.ndarray:
        """Return the columns ``<prefix><class>`` as ``(N, K)`` float64 in class order."""
        return self.frame[[prefix + name for name in self.classes]].to_numpy(dtype=np.float64)

    def in_split(self, *splits: str) -> np.ndarray:
        """Return an ``(N,)`` bool mask of the rows in the named splits."""
        return np.asarray(self.frame["split"].isin(splits), dtype=bool)

    def with_columns(self, **columns: Any) -> LabelTable:
        """Return a table with columns added or replaced (``given`` may not be replaced)."""
        if "given" in columns and "given" in self.frame:
            raise ValueError("nothing overwrites the given labels")
        return make_table(self.frame.assign(**columns), self.classes, self.dataset)

    def take(self, rows: np.ndarray) -> LabelTable:
        """Return the table of some rows (mask or positions), in the same order."""
        frame = self.frame[rows] if rows.dtype == bool else self.frame.iloc[np.sort(rows)]
        return dataclasses.replace(self, frame=frame.reset_index(drop=True))


def labels_from_codes(codes: np.ndarray, classes: Sequence[str]) -> pd.Categorical[Any]:
    """Turn class codes (-1 is missing) into the categorical that label columns hold."""
    return pd.Categorical.from_codes(
        np.asarray(codes, dtype=np.int64), categories=pd.Index(classes)
    )


def make_table(frame: pd.DataFrame, classes: Sequence[str], dataset: str) -> LabelTable:
    """Check and sort a frame into a label table.

    Parameters
    ----------
    frame : pandas.DataFrame
        N rows with ``sample_id``, ``path``, ``split`` (one of :data:`SPLITS` or
        :data:`EXCLUDED`) and any further columns. :data:`LABEL_COLUMNS` and annotations hold
        class names, null where missing; ``face_row`` holds whole numbers. It is left as it is.
    classes : sequence of str
        Class names in order.
    dataset : str
        Name of the data set, for messages too.

    Returns
    -------
    LabelTable
        Sorted by ``sample_id``, its labels as categoricals over `classes`.

    Raises
    ------
    FercleanError
        For a missing column, a duplicate or missing sample_id, an unknown split or label, or a
        ``face_row`` of another type.
    """
    for column in ("sample_id", "path", "split"):
        if column not in frame:
            raise FercleanError(f"label table of {dataset}: column {column!r} is missing")
    frame = frame.sort_values("sample_id", kind="stable").reset_index(drop=True)
    if frame["sample_id"].isna().any():
        raise FercleanError(f"label table of {dataset}: a sample_id is missing")
    repeated = frame["sample_id"][frame["sample_id"].duplicated()]
    if len(repeated):
        raise FercleanError(f"label table of {dataset}: sample_id {repeated.iloc[0]!r} repeats")
    unknown = set(frame["split"].dropna().unique()) - {*SPLITS, EXCLUDED}
    if unknown or frame["split"].isna().any():
        found = sorted(map(str, unknown)) or ["nothing"]
        raise FercleanError(
            f"label table of {dataset}: split must be one of {', '.join(SPLITS)}, found {found[0]}"
        )
    if "face_row" in frame and not pd.api.types.is_integer_dtype(frame["face_row"]):
        raise FercleanError(f"label table of {dataset}: face_row must be a whole number a row")
    for column in list(frame.columns):
        if column in LABEL_COLUMNS or str(column).startswith(ANNOTATION_PREFIX):
            frame[column] = _as_labels(frame[column], classes, column, dataset)
    return LabelTable(frame, tuple(classes), dataset)


def _as_labels(
    values: pd.Series, classes: Sequence[str], column: str, dataset: str
) -> pd.Categorical:
    present = values.dropna().unique().tolist()
    unknown = [value for value in present if value not in classes]
    if unknown:
        raise FercleanError(
            f"label table of {dataset}: column {column!r} holds {unknown[0]!r}, "
            f"which is none of the classes {', '.join(classes)}"
        )
    return pd.Categorical(values, categories=list(classes))


def write_label_table(table: LabelTable, path: str | Path) -> None:
    """Write a label table to Parquet, atomically and with the same bytes for the same table."""
    arrow = pa.Table.from_pandas(table.frame, preserve_index=False)
    metadata = {
        _CLASSES_KEY: json.dumps(table.classes).encode(),
        _DATASET_KEY: table.dataset.encode(),
    }
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **metadata})
    with atomic_path(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd")


def is_label_table(path: str | Path) -> bool:
    """Tell whether a Parquet file is a label table; one that cannot be read is an error."""
    return _CLASSES_KEY in (read_parquet_schema(path, _WHAT).metadata or {})


def read_label_table(path: str | Path, columns: Iterable[str] | None = None) -> LabelTable:
    """Read a label table.

    Parameters
    ----------
    path : str or Path
        Parquet file written by :func:`write_label_table`.
    columns : iterable of str, optional
        Read only these. Training steps use :func:`read_training_table`, so that columns for
        evaluation only never even enter the process.

    Raises
    ------
    FercleanError
        If the file is missing, is not a label table, or lacks a column.
    """
    schema = read_parquet_schema(path, _WHAT)
    metadata = schema.metadata or {}
    try:
        classes, dataset = json.loads(metadata[_CLASSES_KEY]), metadata[_DATASET_KEY].decode()
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ValueError
    except (KeyError, ValueError, RecursionError):
        raise FercleanError(f"{path} is not a label table: its metadata names no classes") from None
    wanted = list(columns) if columns is not None else schema.names
    frame = read_parquet_frame(path, _WHAT, wanted)
    return make_table(frame, classes, dataset)


def read_training_table(path: str | Path) -> LabelTable:
    """Read only what training may see: :data:`TRAINING_COLUMNS`, and single annotators' labels."""
    names = read_parquet_schema(path, _WHAT).names
    annotations = [name for name in names if name.startswith(ANNOTATION_PREFIX)]
    return read_label_table(path, (*TRAINING_COLUMNS, *annotations))


def read_reviewed_rows(path: str | Path) -> LabelTable | None:
    """Read the rows that people decided about, ``None`` where no decisions were read at all.

    Columns are ``sample_id``, ``path``, ``split`` and :data:`REVIEWED_COLUMNS`.
    """
    if REVIEWED_COLUMNS[0] not in read_parquet_schema(path, _WHAT).names:
        return None
    table = read_label_table(path, ("sample_id", "path", "split", *REVIEWED_COLUMNS))
    return table.take(table.frame[REVIEWED_COLUMNS[0]].notna().to_numpy(dtype=bool))
