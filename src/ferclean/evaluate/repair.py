"""What became of the labels: accuracy against the truth, class pairs, actions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ferclean.evaluate.classification import confusion_counts
from ferclean.tables.labels import ACTIONS


def label_accuracy(labels: ArrayLike, truth: ArrayLike) -> float | None:
    """Share of labels that equal the truth, over the rows where both are known.

    Parameters
    ----------
    labels, truth : array_like
        ``(N,)`` class codes, -1 where missing.

    Returns
    -------
    float or None
        In [0, 1]; ``None`` when no row has both.
    """
    labels, truth = np.asarray(labels), np.asarray(truth)
    known = (labels >= 0) & (truth >= 0)
    return float((labels[known] == truth[known]).mean()) if known.any() else None


def action_counts(actions: pd.Series) -> dict[str, int]:
    """Count the rows of every action in :data:`ferclean.tables.labels.ACTIONS`.

    Raises
    ------
    ValueError
        For an action that is none of them.
    """
    counts = actions.value_counts()
    unknown = [name for name in counts.index if name not in ACTIONS and counts[name]]
    if unknown:
        raise ValueError(f"action must be one of {', '.join(ACTIONS)}, found {unknown[0]!r}")
    return {action: int(counts.get(action, 0)) for action in ACTIONS}


def pair_table(
    name: str,
    rows: ArrayLike,
    columns: ArrayLike,
    classes: Sequence[str],
    correct: ArrayLike | None = None,
) -> pd.DataFrame:
    """Count class pairs in long form, one row a pair, in class order.

    Parameters
    ----------
    name : str
        Goes into the column ``table``.
    rows, columns : array_like
        ``(N,)`` class codes; rows where either is -1 are left out.
    classes : sequence of str
        Class names.
    correct : array_like, optional
        ``(N,)`` bool; its mean over the rows of a pair becomes ``label_accuracy``.

    Returns
    -------
    pandas.DataFrame
        ``table``, ``row``, ``column``, ``count``, ``label_accuracy``.
    """
    rows, columns = np.asarray(rows), np.asarray(columns)
    known = (rows >= 0) & (columns >= 0)
    counts = confusion_counts(rows[known], columns[known], len(classes))
    accuracy = np.full(counts.shape, np.nan)
    if correct is not None:
        right = known & np.asarray(correct, dtype=bool)
        hits = confusion_counts(rows[right], columns[right], len(classes))
        np.divide(hits, counts, out=accuracy, where=counts > 0)
    return pd.DataFrame(
        {
            "table": name,
            "row": np.repeat(list(classes), len(classes)),
            "column": np.tile(list(classes), len(classes)),
            "count": counts.ravel(),
            "label_accuracy": accuracy.ravel(),
        }
    )
