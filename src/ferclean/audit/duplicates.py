"""Pictures that stand in a data set more than once, and whether their labels agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class DuplicateEvidence:
    """What duplicates say of N rows.

    Attributes
    ----------
    copies : numpy.ndarray
        ``(N,)`` int32: other rows with the same picture, pixel by pixel.
    near : numpy.ndarray
        ``(N,)`` int32: rows with nearly the same picture.
    conflicts : numpy.ndarray
        ``(N,)`` bool: a row with the same picture carries another label.
    """

    copies: np.ndarray
    near: np.ndarray
    conflicts: np.ndarray


def duplicate_evidence(
    pairs: pd.DataFrame, sample_id: np.ndarray, labels: np.ndarray
) -> DuplicateEvidence:
    """Look up pairs of duplicates among some rows.

    Parameters
    ----------
    pairs : pandas.DataFrame
        ``kind`` (``exact`` or ``near``), ``sample_id_a``, ``sample_id_b``; pairs of which a
        picture is not among the rows count nowhere. Each exact copy is paired with the first of
        its group.
    sample_id : numpy.ndarray
        ``(N,)`` unique.
    labels : numpy.ndarray
        ``(N,)`` integers.
    """
    row_of = pd.Series(np.arange(len(sample_id)), index=sample_id)
    first = row_of.reindex(pairs["sample_id_a"]).to_numpy()
    second = row_of.reindex(pairs["sample_id_b"]).to_numpy()
    exact = (pairs["kind"] == "exact").to_numpy()
    near = ~exact & np.isfinite(first) & np.isfinite(second)
    ends = np.concatenate([first[near], second[near]]).astype(np.int64)
    group = _groups(pairs[exact], sample_id)
    sizes = np.bincount(group, minlength=len(sample_id))
    same = pd.Series(labels).groupby(group).transform("nunique").to_numpy()
    return DuplicateEvidence(
        copies=(sizes[group] - 1).astype(np.int32),
        near=np.bincount(ends, minlength=len(sample_id)).astype(np.int32),
        conflicts=same > 1,
    )


def _groups(exact: pd.DataFrame, sample_id: np.ndarray) -> np.ndarray:
    """Return the number of each row's group, ``(N,)``; a group's first may be no row here."""
    first_of = dict(zip(exact["sample_id_b"], exact["sample_id_a"], strict=True))
    return np.asarray(pd.factorize(np.array([first_of.get(i, i) for i in sample_id]))[0])
