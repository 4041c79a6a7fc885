"""How well wrong labels are found, where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
)

DETECTION_KEYS = (
    "rows",
    "wrong_rows",
    "called_wrong",
    "auroc",
    "average_precision",
    "precision",
    "recall",
    "f1",
    "oracle_precision",
    "oracle_recall",
    "oracle_f1",
    "oracle_clean_probability",
    "unavailable",
)


def called_wrong(clean_probability: ArrayLike, threshold: float) -> np.ndarray:
    """Tell which labels a method calls wrong: clean probability at or below its cut-off.

    Both are compared as float32, in which the label tables hold the probabilities.

    Parameters
    ----------
    clean_probability : array_like
        ``(N,)`` in [0, 1].
    threshold : float
        The method's own cut-off.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool.
    """
    return np.asarray(np.asarray(clean_probability, dtype=np.float32) <= np.float32(threshold))


def detection_metrics(
    is_wrong: ArrayLike, clean_probability: ArrayLike, *, threshold: float
) -> dict[str, Any]:
    """Score the finding of wrong labels.

    Parameters
    ----------
    is_wrong : array_like
        ``(N,)`` bool, whether the observed label differs from the true one.
    clean_probability : array_like
        ``(N,)`` in [0, 1]; wrong labels are ranked by ``1 - clean_probability``.
    threshold : float
        The method's own cut-off, see :func:`called_wrong`.

    Returns
    -------
    dict
        :data:`DETECTION_KEYS`. ``oracle_*`` belong to the cut-off with the best F1, chosen with
        the truth: rows with a clean probability of at most ``oracle_clean_probability`` are called
        wrong. Values that the rows cannot give are ``None`` and ``unavailable`` says why.

    Raises
    ------
    ValueError
        If the shapes differ or a probability is not in [0, 1].
    """
    wrong = np.asarray(is_wrong, dtype=bool)
    clean_probability = np.asarray(clean_probability, dtype=np.float64)
    if wrong.shape != clean_probability.shape or wrong.ndim != 1:
        raise ValueError(f"expected two (N,) arrays: {wrong.shape}, {clean_probability.shape}")
    if not np.all((clean_probability >= 0) & (clean_probability <= 1)):
        raise ValueError("clean_probability must lie in [0, 1]")
    metrics: dict[str, Any] = dict.fromkeys(DETECTION_KEYS)
    called = called_wrong(clean_probability, threshold)
    metrics.update(
        rows=len(wrong),
        wrong_rows=int(wrong.sum()),
        called_wrong=int(called.sum()),
        unavailable=_why_unavailable(wrong),
    )
    # -p orders rows as 1 - p does, without rounding tiny probabilities into ties.
    score = -clean_probability
    if wrong.any() and not wrong.all():
        metrics["auroc"] = float(roc_auc_score(wrong, score))
    if wrong.any():
        metrics["average_precision"] = float(average_precision_score(wrong, score))
        metrics.update(_at_own_cut_off(wrong, called), **_at_oracle_cut_off(wrong, score))
    return metrics


def _why_unavailable(wrong: np.ndarray) -> str | None:
    if len(wrong) == 0:
        return "the true label of no training row is known"
    if not wrong.any():
        return "no observed training label is wrong"
    return "every observed training label is wrong" if wrong.all() else None


def _at_own_cut_off(wrong: np.ndarray, called: np.ndarray) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(
        wrong, called, average="binary", zero_division=0
    )
    return {"precision": float(precision), "recall": float(recall), "f1": float(f1)}


def _at_oracle_cut_off(wrong: np.ndarray, score: np.ndarray) -> dict[str, float]:
    precision, recall, cut_offs = precision_recall_curve(wrong, score)
    # The curve's last point (recall 0) belongs to no cut-off.
    total = precision[:-1] + recall[:-1]
    f1 = 2 * precision[:-1] * recall[:-1] / np.where(total > 0, total, 1.0)
    best = int(np.argmax(f1))
    return {
        "oracle_precision": float(precision[best]),
        "oracle_recall": float(recall[best]),
        "oracle_f1": float(f1[best]),
        "oracle_clean_probability": float(-cut_offs[best]),
    }
