"""Jensen-Shannon divergence between a prediction and the observed label (UNICON)."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import xlogy

# Largest divergence by unit: two distributions without common support.
LARGEST = {"nats": math.log(2.0), "bits": 1.0}


def divergence_from_label(
    probabilities: np.ndarray, observed: np.ndarray, *, unit: str = "nats"
) -> np.ndarray:
    """Return ``JSD(p_i, onehot(y_i))`` for every row.

    With a one-hot label it depends on ``q = p_iy`` alone:
    ``log 2 + (q log q - (1 + q) log(1 + q)) / 2``, so that no row is looked at beyond q.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)``, rows sum to 1.
    observed : numpy.ndarray
        ``(N,)`` int64.
    unit : str
        ``"nats"`` (in [0, log 2]; UNICON's code) or ``"bits"`` (in [0, 1]; its paper).

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64; 0 where the label has all probability, falling with it.

    Raises
    ------
    ValueError
        If a probability of an observed label is not in [0, 1], or for an unknown unit.
    """
    if unit not in LARGEST:
        raise ValueError(f"unit must be one of {', '.join(LARGEST)}, found {unit!r}")
    share = probabilities[np.arange(len(observed)), observed].astype(np.float64)
    if not ((share >= 0) & (share <= 1 + 1e-6)).all():
        raise ValueError("probabilities must be finite and lie in [0, 1]")
    nats = math.log(2.0) + (xlogy(share, share) - xlogy(1 + share, 1 + share)) / 2
    return np.clip(nats, 0.0, None) * (LARGEST[unit] / math.log(2.0))
