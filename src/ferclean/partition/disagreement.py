"""Scores of how much an expected softmax contradicts the observed label, larger is worse."""

from __future__ import annotations

import numpy as np

from ferclean.errors import unknown_name
from ferclean.partition.scores import margin_score

# What each score is called in figures.
SCORES = {
    "nll": "negative log-likelihood of the observed label",
    "margin": "margin of the likeliest other class",
    "cds": "margin of the likeliest other class, times one minus the aleatoric share",
}
# Smallest probability whose logarithm is taken: that of float32.
_SMALLEST = float(np.finfo(np.float32).tiny)


def disagreement_score(
    probabilities: np.ndarray, observed: np.ndarray, aleatoric: np.ndarray, *, score: str
) -> np.ndarray:
    """Return how much each prediction contradicts the observed label.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)`` expected softmax p, rows sum to 1, K >= 2.
    observed : numpy.ndarray
        ``(N,)`` int64.
    aleatoric : numpy.ndarray
        ``(N,)`` entropy H in nats, in ``[0, log K]``.
    score : str
        ``nll``: ``-log p_y``. ``margin``: ``max_{c != y} p_c - p_y``, in [-1, 1]. ``cds``, the
        confident-disagreement score: ``margin (1 - H / log K)``, for a wrong label is a sure
        contradiction and an ambiguous picture is not.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64.

    Raises
    ------
    FercleanError
        For an unknown score.
    ValueError
        If a probability of an observed label is not finite.
    """
    if score not in SCORES:
        raise unknown_name("score", score, SCORES)
    own = probabilities[np.arange(len(observed)), observed].astype(np.float64)
    if not np.isfinite(own).all():
        raise ValueError("probabilities must be finite")
    if score == "nll":
        return np.maximum(-np.log(np.maximum(own, _SMALLEST)), 0.0)
    margin = -margin_score(probabilities, observed)
    if score == "margin":
        return margin
    return margin * (1.0 - aleatoric / np.log(probabilities.shape[1]))
