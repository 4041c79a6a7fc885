"""Given labels and probabilities as people keep them: CSV, TSV, Parquet or NPY."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ferclean.errors import FercleanError
from ferclean.tables.inputs import read_array, read_text_table

SUFFIXES = (".csv", ".tsv", ".parquet", ".npy")
ID_COLUMN = "sample_id"
LABEL_COLUMN = "label"
PROBABILITY_PREFIX = "p_"
_SHOWN = 8
_LARGEST_LABEL = 2**31  # far more than there are classes; infinity is larger


@dataclass(frozen=True)
class GivenLabels:
    """Labels as they stand in a file.

    Attributes
    ----------
    labels : numpy.ndarray
        ``(N,)`` text (names, or the digits of class numbers).
    sample_id : numpy.ndarray or None
        ``(N,)`` text, unique, where the file has a column ``sample_id``.
    """

    labels: np.ndarray
    sample_id: np.ndarray | None


@dataclass(frozen=True)
class Probabilities:
    """Predicted probabilities as they stand in a file.

    Attributes
    ----------
    members : numpy.ndarray
        ``(M, N, K)`` float32.
    classes : tuple of str or None
        Names of the K columns, where the file has any.
    sample_id : numpy.ndarray or None
        ``(N,)`` text, unique, where the file has a column ``sample_id``.
    """

    members: np.ndarray
    classes: tuple[str, ...] | None
    sample_id: np.ndarray | None


def read_given_labels(path: Path, column: str = LABEL_COLUMN) -> GivenLabels:
    """Read one label a row.

    Parameters
    ----------
    path : Path
        A table with the column `column` and, if you like, ``sample_id``; or a one-dimensional
        NPY file of integers or text.
    column : str
        Column of the labels; a table with one column beside ``sample_id`` need not call it
        ``label``.

    Returns
    -------
    GivenLabels

    Raises
    ------
    FercleanError
        If the file cannot be read, has no such column or no rows, lacks a label or names a sample
        twice.
    """
    if path.suffix.lower() == ".npy":
        labels = read_array(path)
        if labels.ndim != 1 or labels.dtype.kind not in "iuU":
            raise FercleanError(
                f"{path} must hold one integer or text a row, found {labels.dtype} "
                f"of shape {labels.shape}"
            )
        _require_rows(len(labels), path)
        return GivenLabels(labels.astype(str), None)
    frame = _read_table(path)
    others = [name for name in frame.columns if name != ID_COLUMN]
    if column not in frame and (len(others) != 1 or column != LABEL_COLUMN):
        found = ", ".join(map(repr, others[:_SHOWN])) or "none"
        raise FercleanError(
            f"{path} has no column {column!r} but {found}; name the column of the "
            "labels with --label-column"
        )
    values = frame[column if column in frame else others[0]]
    if column not in frame and others[0] in set(values.astype(str)):
        raise FercleanError(
            f"{path} has no header line: its first line {others[0]!r} is a label like others; "
            f"write {column!r} above the labels"
        )
    _require_rows(len(values), path)
    empty = (values.isna() | (values.astype(str).str.strip() == "")).to_numpy()
    if empty.any():
        raise FercleanError(f"{path}: row {int(empty.argmax()) + 1} has no label")
    if pd.api.types.is_float_dtype(values):
        if not ((values == values.round()) & (values.abs() < _LARGEST_LABEL)).all():
            raise FercleanError(f"{path}: labels must be names or whole numbers, found fractions")
        values = values.astype("int64")
    text = values.astype(str).str.strip().to_numpy(dtype=str)
    return GivenLabels(text, _sample_ids(frame, path))


def read_probabilities(path: Path) -> Probabilities:
    """Read one row of class probabilities a sample.

    Parameters
    ----------
    path : Path
        A table whose columns ``p_<class>``, or, if there is none, all columns beside
        ``sample_id`` are the classes; or an NPY file of shape ``(N, K)`` or ``(M, N, K)``.

    Returns
    -------
    Probabilities

    Raises
    ------
    FercleanError
        If the file cannot be read, has no rows, holds something that is no number, or names a
        sample twice.
    """
    if path.suffix.lower() == ".npy":
        values = read_array(path)
        if values.ndim not in (2, 3) or values.dtype.kind not in "fiu":
            raise FercleanError(
                f"{path} must hold numbers of shape (rows, classes) or (members, rows, classes), "
                f"found {values.dtype} of shape {values.shape}"
            )
        _require_rows(values.shape[-2], path)
        members = values if values.ndim == 3 else values[None]
        with np.errstate(over="ignore"):  # infinity is refused like any number above one
            return Probabilities(members.astype(np.float32), None, None)
    frame = _read_table(path)
    named = [name for name in frame.columns if name.startswith(PROBABILITY_PREFIX)]
    columns = named or [name for name in frame.columns if name != ID_COLUMN]
    if not named and _are_probabilities(columns):
        raise FercleanError(
            f"{path} has no header line: its first line holds numbers; write the classes' names "
            "above the columns"
        )
    _require_rows(len(frame), path)
    numbers = frame[columns].apply(pd.to_numeric, errors="coerce")
    bad = numbers.isna().to_numpy()
    if bad.any():
        row, place = (int(found[0]) for found in np.nonzero(bad))
        raise FercleanError(f"{path}: row {row + 1} of column {columns[place]!r} is no number")
    classes = tuple(name.removeprefix(PROBABILITY_PREFIX) if named else name for name in columns)
    values = numbers.to_numpy(dtype=np.float32)
    return Probabilities(values[None], classes, _sample_ids(frame, path))


def read_features(path: Path) -> np.ndarray:
    """Read ``(N, D)`` features, as they stand in an NPY file.

    Raises
    ------
    FercleanError
        If the file cannot be read or holds no matrix of numbers.
    """
    if path.suffix.lower() != ".npy":
        raise FercleanError(f"{path} must end in .npy: features are one array")
    values = read_array(path)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise FercleanError(
            f"{path} must hold numbers of shape (rows, width), found {values.dtype} "
            f"of shape {values.shape}"
        )
    return values


def _are_probabilities(names: Sequence[str]) -> bool:
    """Tell whether what should be columns' names are numbers, and no numbers of classes."""
    found = pd.to_numeric(pd.Series(names, dtype=object), errors="coerce")
    return bool(found.notna().all() and (found % 1 != 0).any())


def _read_table(path: Path) -> pd.DataFrame:
    if path.suffix.lower() not in SUFFIXES:
        raise FercleanError(f"{path} must end in one of: {', '.join(SUFFIXES)}")
    return read_text_table(path)


def _require_rows(rows: int, path: Path) -> None:
    if not rows:
        raise FercleanError(
            f"{path} has no rows: write one for each sample, in a table below the columns' names"
        )


def _sample_ids(frame: pd.DataFrame, path: Path) -> np.ndarray | None:
    if ID_COLUMN not in frame:
        return None
    names = frame[ID_COLUMN]
    if names.isna().any():
        raise FercleanError(f"{path}: row {int(names.isna().to_numpy().argmax()) + 1} has no id")
    repeated = names.duplicated()
    if repeated.any():
        raise FercleanError(f"{path} names the sample {names[repeated].iloc[0]!r} twice")
    return names.astype(str).to_numpy(dtype=str)
