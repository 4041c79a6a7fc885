"""Per-sample scores of how well an observed label fits a prediction."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax


def cross_entropy_score(logits: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return ``-log softmax(z)_y`` for every row.

    Parameters
    ----------
    logits : numpy.ndarray
        ``(N, K)``.
    observed : numpy.ndarray
        ``(N,)`` int64.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64, at least 0.
    """
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    return -log_probabilities[np.arange(len(observed)), observed]


def margin_score(probabilities: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return ``p_y - max_{k != y} p_k`` for every row.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)`` with K >= 2.
    observed : numpy.ndarray
        ``(N,)`` int64.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64 in [-1, 1]; negative when another class is more likely.
    """
    rows = np.arange(len(observed))
    others = probabilities.astype(np.float64).copy()
    others[rows, observed] = -np.inf
    return probabilities[rows, observed].astype(np.float64) - others.max(axis=1)


def rival_share(evidence: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return ``v_y / (v_y + max_{k != y} v_k)`` for every row.

    Parameters
    ----------
    evidence : numpy.ndarray
        ``(N, K)`` at least 0, with K >= 2: votes or probabilities v.
    observed : numpy.ndarray
        ``(N,)`` int64.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64 in [0, 1]: above one half where the observed class wins, one half
        where it ties or both are 0.
    """
    rows = np.arange(len(observed))
    own, others = evidence[rows, observed].astype(np.float64), evidence.astype(np.float64)
    others[rows, observed] = -np.inf
    both = own + others.max(axis=1)
    return np.where(both > 0, own / np.where(both > 0, both, 1.0), 0.5)


def similarity_score(probabilities: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return ReSup's similarity ``cos(p, onehot(y)) = p_y / ||p||`` for every row.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)``, rows sum to 1.
    observed : numpy.ndarray
        ``(N,)`` int64.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64 in [0, 1]; ``1 / sqrt(K)`` for a uniform prediction.
    """
    exact = probabilities.astype(np.float64)
    own = exact[np.arange(len(observed)), observed]
    return np.minimum(own / np.linalg.norm(exact, axis=1), 1.0)
