"""Entropy of label distributions, and what several networks disagree about."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr


def row_entropy(distributions: ArrayLike) -> np.ndarray:
    """Return the Shannon entropy of each row in nats.

    Parameters
    ----------
    distributions : array_like
        ``(..., K)``, rows sum to 1; a row with a NaN gives NaN.

    Returns
    -------
    numpy.ndarray
        ``(...)`` float64, summed as such. In [0, log K] but for the last bits.
    """
    return np.asarray(entr(np.asarray(distributions, dtype=np.float64)).sum(axis=-1))


def mutual_information(of_mean: np.ndarray, of_members: np.ndarray) -> np.ndarray:
    """Return the mutual information of prediction and member, which is how far they disagree.

    Parameters
    ----------
    of_mean : numpy.ndarray
        ``(N,)`` entropies of the members' mean.
    of_members : numpy.ndarray
        ``(M, N)`` entropies of the M members.

    Returns
    -------
    numpy.ndarray
        ``(N,)``: the entropy of the mean above the mean entropy, at least 0 in spite of rounding.
    """
    return np.maximum(of_mean - of_members.mean(axis=0), 0.0)
