"""Class-balanced selection of rows whose label fits (UNICON)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Selection:
    """Rows chosen by their divergence.

    Attributes
    ----------
    selected : numpy.ndarray
        ``(N,)`` bool.
    threshold : float
        Divergence below which rows were counted.
    share : float
        SR, the share of all rows below it.
    """

    selected: np.ndarray
    threshold: float
    share: float


def select_uniformly(
    divergence: np.ndarray, observed: np.ndarray, *, classes: int, limit: float, slack: float
) -> Selection:
    """Select of every class equally many rows with the smallest divergence.

    ``thr = mean(d)``, lowered by ``(thr - min(d)) / tau`` where it exceeds the limit d_mu; SR is
    the share of rows below it, and every class gives its ``int(SR N / K)`` rows of smallest
    divergence. A class with fewer rows gives all of them and no other row stands in.

    Parameters
    ----------
    divergence : numpy.ndarray
        ``(N,)`` finite.
    observed : numpy.ndarray
        ``(N,)`` int64 labels in ``[0, classes)``.
    classes : int
        K.
    limit : float
        d_mu.
    slack : float
        tau >= 1.

    Returns
    -------
    Selection
        All rows with SR = 1 where all divergences are equal: none can be told from another. Of
        equal divergences the earlier row goes first.

    Raises
    ------
    ValueError
        If a divergence is not finite or the lengths differ.
    """
    if len(divergence) != len(observed):
        raise ValueError(f"{len(divergence)} divergences for {len(observed)} labels")
    if not np.isfinite(divergence).all():
        raise ValueError(f"{int((~np.isfinite(divergence)).sum())} divergences are not finite")
    if len(divergence) == 0 or np.ptp(divergence) == 0:
        threshold = float(divergence.max(initial=0.0))
        return Selection(np.ones(len(divergence), dtype=bool), threshold, 1.0)
    threshold = float(divergence.mean())
    if threshold > limit:
        threshold -= (threshold - float(divergence.min())) / slack
    share = float((divergence < threshold).mean())
    quota = int(share * len(divergence) / classes)
    return Selection(_rank_in_class(divergence, observed) < quota, threshold, share)


def trusted_weights(divergence: np.ndarray, trusted: float) -> np.ndarray:
    """Return ``w = 1 - d`` where ``d >= trusted`` and 1 below it.

    UNICON's weight of the observed label when labels of selected rows are refined.

    Parameters
    ----------
    divergence : numpy.ndarray
        ``(N,)`` in [0, 1].
    trusted : float
        0.5 in UNICON.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float32 in [0, 1].
    """
    return np.where(divergence < trusted, 1.0, 1.0 - divergence).astype(np.float32)


def _rank_in_class(values: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return each row's place, from 0, among the rows of its class by ascending value."""
    order = np.lexsort((values, observed))
    counts = np.bincount(observed)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values)) - np.repeat(starts, counts)
    return rank
