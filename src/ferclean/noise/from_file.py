"""Noisy labels that come as a table: another annotator's, or a published noise file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ferclean.errors import FercleanError
from ferclean.tables.inputs import read_text_table


def read_noise_file(path: str | Path) -> pd.Series:
    """Read a table of noisy labels.

    Parameters
    ----------
    path : str or Path
        CSV, or Parquet if its name ends in ``.parquet``, with ``sample_id`` and ``label``.

    Returns
    -------
    pandas.Series
        Label names (text), indexed by ``sample_id`` (text).

    Raises
    ------
    FercleanError
        If the file cannot be read, lacks a column or a value, or names a sample twice.
    """
    path = Path(path)
    columns = ["sample_id", "label"]
    try:
        frame = read_text_table(path)
    except FercleanError as error:
        raise FercleanError(f"noise.file: {error}") from None
    for column in columns:
        if column not in frame:
            raise FercleanError(f"noise.file: {path} has no column {column!r}")
    empty = frame[columns].isna() | (frame[columns] == "")
    if empty.to_numpy().any():
        row = int(np.flatnonzero(empty.any(axis=1))[0])
        raise FercleanError(f"noise.file: row {row + 1} of {path} lacks a sample_id or label")
    labels = pd.Series(frame["label"].astype(str).to_numpy(), index=frame["sample_id"].astype(str))
    if labels.index.has_duplicates:
        repeated = labels.index[labels.index.duplicated()][0]
        raise FercleanError(f"noise.file: sample_id {repeated!r} repeats in {path}")
    return labels


def match_noise_file(
    labels: pd.Series, sample_ids: Sequence[str], splits: np.ndarray, classes: Sequence[str]
) -> np.ndarray:
    """Bring a table of noisy labels into the order of the samples.

    Parameters
    ----------
    labels : pandas.Series
        From :func:`read_noise_file`.
    sample_ids : sequence of str
        ``(N,)`` identifiers.
    splits : numpy.ndarray
        ``(N,)`` names of splits.
    classes : sequence of str
        Class names.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64 codes, -1 where the file says nothing.

    Raises
    ------
    FercleanError
        For an unknown sample or label, or a training row that the file does not cover.
    """
    known = pd.Index(sample_ids)
    strangers = labels.index.difference(known, sort=False)
    if len(strangers):
        raise FercleanError(
            f"noise.file: {len(strangers)} of its samples are not in the data set, "
            f"the first is {strangers[0]!r}"
        )
    position = {name: code for code, name in enumerate(classes)}
    wrong = labels[~labels.isin(list(classes))]
    if len(wrong):
        raise FercleanError(
            f"noise.file: label {wrong.iloc[0]!r} of {wrong.index[0]!r} is none of the classes "
            f"({', '.join(classes)})"
        )
    codes = labels.map(position).reindex(known).fillna(-1).to_numpy(dtype=np.int64)
    uncovered = np.flatnonzero((codes < 0) & (np.asarray(splits) == "train"))
    if len(uncovered):
        raise FercleanError(
            f"noise.file: {len(uncovered)} training samples have no label in it, "
            f"the first is {known[uncovered[0]]!r}"
        )
    return codes
