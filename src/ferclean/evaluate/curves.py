"""Metrics an epoch, and the ways of choosing the epoch that is reported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ferclean.evaluate.classification import classification_metrics

METRICS = ("accuracy", "mean_class_accuracy", "macro_f1")
LAST_EPOCHS = 5
# The name says it wherever the number goes: choosing on test data is only for comparing with
# papers that do.
BEST_ON_TEST = "best_on_test_for_comparison_only"


def epoch_metrics(probabilities: ArrayLike, truth: ArrayLike) -> pd.DataFrame:
    """Classification metrics of every epoch.

    Parameters
    ----------
    probabilities : array_like
        ``(E, N, K)`` predictions.
    truth : array_like
        ``(N,)`` class codes.

    Returns
    -------
    pandas.DataFrame
        One row an epoch with the columns :data:`METRICS`, missing without rows.
    """
    predicted = np.asarray(probabilities).argmax(axis=2)
    rows = [classification_metrics(truth, epoch) for epoch in predicted]
    return pd.DataFrame(rows, columns=list(METRICS), dtype=np.float64)


def reported_metrics(test: pd.DataFrame, validation_accuracy: ArrayLike | None) -> dict[str, Any]:
    """Report the epochs' test metrics in the four ways that results tables list.

    Parameters
    ----------
    test : pandas.DataFrame
        Columns :data:`METRICS`, one row an epoch in order.
    validation_accuracy : array_like or None
        ``(E,)`` accuracy on validation rows against their *observed* labels; ``None`` without a
        validation split.

    Returns
    -------
    dict
        ``<metric>_last_epoch``, ``<metric>_mean_of_last_five`` (fewer epochs: all of them),
        ``<metric>_validation_selected`` (earliest epoch of the highest validation accuracy;
        ``None`` without validation) and ``<metric>_best_on_test_for_comparison_only`` (the epoch
        of the highest test accuracy).
    """
    if len(test) == 0:
        raise ValueError("at least one epoch is needed")
    selected = None if validation_accuracy is None else int(np.argmax(validation_accuracy))
    accuracy = test["accuracy"].to_numpy()
    best = int(np.argmax(np.nan_to_num(accuracy, nan=-1.0)))
    result: dict[str, Any] = {}
    for metric in METRICS:
        values = test[metric].to_numpy(dtype=np.float64)
        result[f"{metric}_last_epoch"] = _number(values[-1])
        result[f"{metric}_mean_of_last_five"] = _number(values[-LAST_EPOCHS:].mean())
        result[f"{metric}_validation_selected"] = (
            None if selected is None else _number(values[selected])
        )
        result[f"{metric}_{BEST_ON_TEST}"] = _number(values[best])
    return result


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
