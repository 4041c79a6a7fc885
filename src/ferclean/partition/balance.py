"""Class balance by repeating rows."""

from __future__ import annotations

import numpy as np


def balanced_rows(
    rows: np.ndarray, labels: np.ndarray, total: int, random: np.random.Generator
) -> np.ndarray:
    """Repeat rows until every class that occurs stands equally often.

    Parameters
    ----------
    rows : numpy.ndarray
        ``(n,)`` int64, at least one.
    labels : numpy.ndarray
        ``(n,)`` int64 classes of these rows.
    total : int
        Number of rows returned; the first classes have one more where it does not divide.
    random : numpy.random.Generator
        Chooses which rows of a class have one repetition more than the others.

    Returns
    -------
    numpy.ndarray
        ``(total,)`` int64 of `rows`, class by class.

    Raises
    ------
    ValueError
        If there is no row, or `rows` and `labels` differ in length.
    """
    if len(rows) == 0 or len(rows) != len(labels):
        raise ValueError(f"expected as many rows as labels, found {len(rows)} and {len(labels)}")
    present = np.unique(labels)
    quota, extra = divmod(total, len(present))
    parts = []
    for position, label in enumerate(present):
        own = random.permutation(rows[labels == label])
        parts.append(np.resize(own, quota + (position < extra)))
    return np.concatenate(parts)
