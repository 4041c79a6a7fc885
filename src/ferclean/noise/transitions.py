"""What noise did to labels: realised rates and transition matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def transition_counts(before: np.ndarray, after: np.ndarray, class_count: int) -> np.ndarray:
    """Count the pairs of labels.

    Parameters
    ----------
    before, after : numpy.ndarray
        ``(N,)`` integers in ``[-1, class_count)``; rows with a -1 are left out.
    class_count : int
        Number of classes K.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` int64, row = before, column = after.
    """
    both = (before >= 0) & (after >= 0)
    pairs = before[both] * class_count + after[both]
    counts = np.bincount(pairs, minlength=class_count * class_count)
    return counts.reshape(class_count, class_count).astype(np.int64)


def transition_matrix(counts: np.ndarray) -> np.ndarray:
    """Divide each row of counts by its sum.

    Parameters
    ----------
    counts : numpy.ndarray
        ``(K, K)`` non-negative.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64; rows sum to 1, or are NaN for a class without rows.
    """
    totals = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.where(totals > 0, counts / np.maximum(totals, 1), np.nan))


def describe_change(
    before: np.ndarray, after: np.ndarray, classes: Sequence[str]
) -> dict[str, Any]:
    """Describe how labels changed, ready for JSON.

    Parameters
    ----------
    before, after : numpy.ndarray
        ``(N,)`` integers in ``[-1, K)``.
    classes : sequence of str
        Class names in order.

    Returns
    -------
    dict
        ``compared`` rows, ``changed`` rows, ``rate`` and ``rate_of_class`` (null without
        rows), ``counts`` and ``transition`` (null for a class without rows), classes in order.
    """
    counts = transition_counts(before, after, len(classes))
    matrix = transition_matrix(counts)
    compared, unchanged = int(counts.sum()), int(np.trace(counts))
    rates = [None if np.isnan(row).any() else float(1 - row[k]) for k, row in enumerate(matrix)]
    return {
        "compared": compared,
        "changed": compared - unchanged,
        "rate": (compared - unchanged) / compared if compared else None,
        "rate_of_class": dict(zip(classes, rates, strict=True)),
        "counts": counts.tolist(),
        "transition": [
            [None if np.isnan(value) else float(value) for value in row] for row in matrix
        ],
    }
