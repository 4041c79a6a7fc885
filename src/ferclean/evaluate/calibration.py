"""How far a network's confidence can be believed: reliability and expected calibration error."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def reliability_table(probabilities: ArrayLike, truth: ArrayLike, *, bins: int) -> pd.DataFrame:
    """Bin predictions by confidence (the largest probability) in equal-width bins ``(a, b]``.

    scikit-learn's ``calibration_curve`` is for two classes and drops empty bins; this keeps one
    row a bin, with the counts that the calibration error needs.

    Parameters
    ----------
    probabilities : array_like
        ``(N, K)`` with rows that sum to 1.
    truth : array_like
        ``(N,)`` class codes.
    bins : int
        Number of bins over [0, 1].

    Returns
    -------
    pandas.DataFrame
        ``bin``, ``lower``, ``upper``, ``count``, ``confidence`` and ``accuracy`` (means inside the
        bin, missing where it is empty).

    Raises
    ------
    ValueError
        If shapes do not fit, `bins` < 1 or a probability lies outside [0, 1].
    """
    probabilities, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(truth)
    if probabilities.ndim != 2 or truth.shape != probabilities.shape[:1]:
        raise ValueError(f"expected (N, K) and (N,), found {probabilities.shape}, {truth.shape}")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, found {bins}")
    # float32 softmax rows may exceed 1 in the last bits.
    if not np.all((probabilities >= 0) & (probabilities <= 1 + 1e-5)):
        raise ValueError("probabilities must lie in [0, 1]")
    confidence = np.minimum(probabilities.max(axis=1, initial=0.0), 1.0)
    correct = probabilities.argmax(axis=1) == truth if len(truth) else np.zeros(0, dtype=bool)
    return _bin_means(confidence, correct, bins)


def _bin_means(confidence: np.ndarray, correct: np.ndarray, bins: int) -> pd.DataFrame:
    edges = np.linspace(0.0, 1.0, bins + 1)
    position = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(position, minlength=bins)
    divisor = np.where(count > 0, count, np.nan)
    return pd.DataFrame(
        {
            "bin": np.arange(bins),
            "lower": edges[:-1],
            "upper": edges[1:],
            "count": count,
            "confidence": np.bincount(position, weights=confidence, minlength=bins) / divisor,
            "accuracy": np.bincount(position, weights=correct, minlength=bins) / divisor,
        }
    )


def expected_calibration_error(reliability: pd.DataFrame) -> float | None:
    """Compute the expected calibration error, ``sum_b n_b / N |accuracy_b - confidence_b|``.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3. In [0, 1], 0 is
    best; ``None`` without rows.
    """
    total = int(reliability["count"].sum())
    if total == 0:
        return None
    gap = (reliability["accuracy"] - reliability["confidence"]).abs().fillna(0.0)
    return float((gap * reliability["count"]).sum() / total)
