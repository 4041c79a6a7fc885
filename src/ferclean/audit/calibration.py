"""Probabilities that mean what they say about the given labels."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from ferclean.relabel.sharpen import sharpen

# Bounds of log T. Forests vote with T near 1/3, memorising networks with T near 5.
_LARGEST_LOG_TEMPERATURE = 2.0
# One number is fitted: more rows change its third digit only.
_MOST_ROWS = 50_000
# So that one probability of 0 for a given label does not decide the fit.
_SMALLEST = 1e-6


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray, *, seed: int = 0) -> float:
    """Return the T at which ``p^(1/T) / sum`` makes the given labels most likely.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)``, rows sum to 1, of models that did not see the row's label.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``.
    seed : int
        Of the 50,000 rows that are looked at where there are more.

    Returns
    -------
    float
        In [e^-2, e^2]; above 1 the probabilities were too sure. 1 where there is no row.

    Notes
    -----
    Guo et al., ICML 2017, on labels with noise: the result is calibrated to what is *given*.
    """
    if len(labels) == 0:
        return 1.0
    rows = np.arange(len(labels))
    if len(rows) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST_ROWS, replace=False))
    logits = np.log(np.maximum(probabilities[rows].astype(np.float64), _SMALLEST))
    of_label = logits[np.arange(len(rows)), labels[rows]]

    def loss(log_temperature: float) -> float:
        power = np.exp(-log_temperature)
        normaliser = np.log(np.exp(logits * power).sum(axis=1))
        return float((normaliser - of_label * power).mean())

    bounds = (-_LARGEST_LOG_TEMPERATURE, _LARGEST_LOG_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def calibrated_mean(members: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calibrate each member of an ensemble, and average.

    Parameters
    ----------
    members : numpy.ndarray
        ``(M, N, K)``, rows sum to 1.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``.

    Returns
    -------
    probabilities : numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.
    temperatures : numpy.ndarray
        ``(M,)`` float64, one a member.
    """
    temperatures = np.array([fit_temperature(each, labels) for each in members])
    total = np.zeros(members.shape[1:], dtype=np.float32)
    for each, temperature in zip(members, temperatures, strict=True):
        floored = np.maximum(each, np.float32(_SMALLEST)).astype(np.float32)
        total += sharpen(floored, float(temperature))
    return total / np.float32(len(members)), temperatures
