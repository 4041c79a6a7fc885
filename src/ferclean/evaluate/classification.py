"""Accuracy, mean-class accuracy, macro F1 and confusion counts of hard predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score


def classification_metrics(truth: ArrayLike, predicted: ArrayLike) -> dict[str, float | None]:
    """Measure hard predictions.

    Parameters
    ----------
    truth, predicted : array_like
        ``(N,)`` class codes >= 0.

    Returns
    -------
    dict
        ``accuracy``; ``mean_class_accuracy``, the mean recall over the classes that occur in
        `truth`; ``macro_f1``, the mean F1 over the classes that occur in either. All in [0, 1],
        ``None`` without rows.

    Raises
    ------
    ValueError
        If the shapes differ or a code is negative.
    """
    truth, predicted = _checked(truth, predicted)
    if len(truth) == 0:
        return {"accuracy": None, "mean_class_accuracy": None, "macro_f1": None}
    present = np.unique(truth)
    recall = recall_score(truth, predicted, labels=present, average="macro", zero_division=0)
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "mean_class_accuracy": float(recall),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
    }


def confusion_counts(truth: ArrayLike, predicted: ArrayLike, class_count: int) -> np.ndarray:
    """Count pairs of classes: ``(K, K)`` int64, rows are `truth`, columns `predicted`.

    Raises
    ------
    ValueError
        If the shapes differ or a code lies outside ``0 .. class_count - 1``.
    """
    truth, predicted = _checked(truth, predicted)
    if len(truth) == 0:
        return np.zeros((class_count, class_count), dtype=np.int64)
    if max(truth.max(), predicted.max()) >= class_count:
        raise ValueError(f"class codes must be below {class_count}")
    counts = confusion_matrix(truth, predicted, labels=np.arange(class_count))
    return np.asarray(counts, dtype=np.int64)


def _checked(truth: ArrayLike, predicted: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise ValueError(f"expected two (N,) arrays, found {truth.shape} and {predicted.shape}")
    if len(truth) and min(truth.min(), predicted.min()) < 0:
        raise ValueError("class codes must not be negative; leave rows without truth out")
    return truth, predicted
