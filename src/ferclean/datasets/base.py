"""What every reader returns: a frame of rows and a lazy stream of their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from ferclean.datasets.pictures import PictureError

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Source:
    """One data set as a reader found it.

    Attributes
    ----------
    dataset : str
        Name of the data set, for the label table's metadata.
    frame : pandas.DataFrame
        One row a sample on a ``RangeIndex``: ``sample_id``, ``path``, ``split``, ``given`` and
        ``reason`` (why the row cannot be used; missing where it can), and where known
        ``true``, ``annotation_<name>``, ``votes_<class>``, ``true_p_<class>`` and ``identity``.
    pictures : iterator of (int, bytes or PictureError)
        Row number and encoded picture, each row at most once and in any order, one picture in
        memory at a time. A row that has a reason may be left out; every other one comes.
    """

    dataset: str
    frame: pd.DataFrame
    pictures: Iterator[tuple[int, bytes | PictureError]]


def first_reason(*reasons: pd.Series) -> pd.Series:
    """Combine reasons row by row: the first that is present wins.

    Parameters
    ----------
    *reasons : pandas.Series
        Texts, missing where there is nothing to say; all with the same index.

    Returns
    -------
    pandas.Series
        Object dtype, ``None`` where no series has a reason.
    """
    combined = reasons[0].astype(object)
    for other in reasons[1:]:
        combined = combined.where(combined.notna(), other.astype(object))
    return combined.where(combined.notna(), None)


def resolve_splits(names: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Translate split names (any case; validation, valid, training ...) to train, val, test.

    Parameters
    ----------
    names : pandas.Series
        Split names as found, ``(N,)``.

    Returns
    -------
    splits, reasons : pandas.Series
        The split or ``None``; why there is none, or ``None``.
    """
    return resolve_labels(names, SPLIT_NAMES, "split")


def resolve_labels(
    names: pd.Series, lookup: dict[str, str], what: str = "label"
) -> tuple[pd.Series, pd.Series]:
    """Translate class names as found to the data set's classes.

    Parameters
    ----------
    names : pandas.Series
        Names as found, ``(N,)``.
    lookup : dict
        From :func:`ferclean.datasets.classes.label_lookup`.
    what : str
        The word used in reasons.

    Returns
    -------
    labels, reasons : pandas.Series
        The class or ``None``; why there is none, or ``None``.
    """
    found = {name: lookup.get(_text(name).lower()) for name in names.dropna().unique()}
    labels = [None if pd.isna(name) else found[name] for name in names]
    reasons = [
        None if label else _complaint(what, name) for name, label in zip(names, labels, strict=True)
    ]
    return (
        pd.Series(labels, index=names.index, dtype=object),
        pd.Series(reasons, index=names.index, dtype=object),
    )


def _text(value: object) -> str:
    return str(value).strip()


def _complaint(what: str, value: object) -> str:
    if pd.isna(value) or not _text(value):  # type: ignore[call-overload]
        return f"missing {what}"
    return f"unknown {what}: {_text(value)[:60]!r}"
