"""Prototypes of classes and corrected labels (SMP, Han et al. 2019, arXiv 1908.02160).

Of each class a sample of rows votes for p prototypes: points with many near neighbours (density)
that no denser point resembles (diversity). A row then belongs to the class whose prototypes it
resembles most.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist
from sklearn.cluster import kmeans_plusplus

from ferclean.errors import unknown_name
from ferclean.partition.vectors import cached_chunks, unit_rows

PROTOTYPE_RULES = ("density_peaks", "euclidean_density_peaks", "k_means")
# Relaxation of the limit on diversity where too few points stay below it.
_RELAX_BY = 0.01
_LLOYD_ITERATIONS = 50
# Similarity to a class without a single row: the lowest that a cosine takes.
_NO_PROTOTYPE = -1.0


def density(closeness: np.ndarray, quantile: float) -> np.ndarray:
    """Return ``rho_i = sum_{j != i} sign(S_ij - S_c)``, the paper's equation 2.

    Parameters
    ----------
    closeness : numpy.ndarray
        ``(m, m)`` symmetric S, larger is nearer; the diagonal counts nowhere.
    quantile : float
        S_c is this quantile of the ascending entries off the diagonal. The paper ranks S
        ascending and takes the one at the top 40 %; only the order of densities matters.

    Returns
    -------
    numpy.ndarray
        ``(m,)`` float64, whole numbers in ``[1 - m, m - 1]``.
    """
    count = len(closeness)
    if count < 2:
        return np.zeros(count)
    off_diagonal = ~np.eye(count, dtype=bool)
    limit = np.quantile(closeness[off_diagonal], quantile, overwrite_input=True)
    above, below = (
        (part & off_diagonal).sum(axis=1) for part in (closeness > limit, closeness < limit)
    )
    return (above - below).astype(np.float64)


def diversity(closeness: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Return eta, the closeness to the nearest denser point, the paper's equation 3.

    ``eta_i = max_{j: rho_j > rho_i} S_ij``; for the densest points ``min_j S_ij``.

    Parameters
    ----------
    closeness : numpy.ndarray
        ``(m, m)``.
    rho : numpy.ndarray
        ``(m,)`` densities.

    Returns
    -------
    numpy.ndarray
        ``(m,)``; low values are unlike every denser point.
    """
    denser = rho[None, :] > rho[:, None]
    nearest = np.where(denser, closeness, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(denser.any(axis=1), nearest, closeness.min(axis=1, initial=np.inf))


def choose_density_peaks(
    rho: np.ndarray, eta: np.ndarray, *, count: int, limit: float
) -> np.ndarray:
    """Return the densest points among those with ``eta < limit``.

    The limit is relaxed by 0.01 until there are enough of them.

    Parameters
    ----------
    rho, eta : numpy.ndarray
        ``(m,)`` finite.
    count : int
        p; fewer are returned only where m is smaller.
    limit : float
        0.95 in the paper.

    Returns
    -------
    numpy.ndarray
        ``(min(p, m),)`` int64 positions, densest first; of equal densities the lower position.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    if not (np.isfinite(rho).all() and np.isfinite(eta).all()):
        raise ValueError("densities and diversities must be finite")
    wanted = min(count, len(rho))
    candidates = np.flatnonzero(eta < limit)
    while len(candidates) < wanted:
        limit += _RELAX_BY
        candidates = np.flatnonzero(eta < limit)
    order = np.argsort(-rho[candidates], kind="stable")
    return candidates[order[:wanted]]


def class_prototypes(
    features: np.ndarray,
    observed: np.ndarray,
    *,
    classes: int,
    samples: int,
    count: int,
    rule: str,
    quantile: float,
    limit: float,
    seed: int,
) -> list[np.ndarray]:
    """Choose every class's prototypes among a sample of the rows that carry its label.

    Parameters
    ----------
    features : numpy.ndarray
        ``(N, D)``.
    observed : numpy.ndarray
        ``(N,)`` int64 labels.
    classes : int
        K.
    samples : int
        m; a smaller class is taken whole.
    count : int
        p.
    rule : str
        ``"density_peaks"`` (cosine; the paper's own), ``"euclidean_density_peaks"`` (Rodriguez
        and Laio 2014, doi 10.1126/science.1242072: the largest ``density * distance to the
        nearest denser point`` over Euclidean distances) or ``"k_means"`` (cluster centres of
        k-means++ on features of length 1).
    quantile, limit : float
        See :func:`density` and :func:`choose_density_peaks`. The Euclidean rule calls the same
        share of pairs near; it has no limit.
    seed : int
        Of the samples.

    Returns
    -------
    list of numpy.ndarray
        K arrays ``(p_c, D)`` of length-1 rows, p_c <= p; ``(0, D)`` for a class without rows.

    Raises
    ------
    ValueError
        If a feature is not finite or the lengths differ.
    FercleanError
        For an unknown rule.
    """
    if len(features) != len(observed):
        raise ValueError(f"{len(features)} features for {len(observed)} labels")
    if rule not in PROTOTYPE_RULES:
        raise unknown_name("rule for prototypes", rule, PROTOTYPE_RULES)
    chosen = []
    for label in range(classes):
        random = np.random.default_rng([seed, label])
        rows = np.flatnonzero(observed == label)
        drawn = np.sort(random.choice(rows, min(samples, len(rows)), replace=False))
        points = features[drawn].astype(np.float64)
        if not np.isfinite(points).all():
            raise ValueError("features must be finite")
        if rule == "k_means":
            chosen.append(_cluster_centres(unit_rows(points), count, random))
        elif rule == "density_peaks":
            chosen.append(_cosine_peaks(unit_rows(points), count, quantile, limit))
        else:
            chosen.append(_euclidean_peaks(points, count, quantile))
    return chosen


def class_similarity(features: np.ndarray, prototypes: Sequence[np.ndarray]) -> np.ndarray:
    """Return ``sigma_c = mean_l cos(G(x), G(x_cl))``, the paper's equation 4.

    The mean of cosines is one product with the mean of the prototypes, so that N x D features
    cost N x D x K operations however many prototypes there are.

    Parameters
    ----------
    features : numpy.ndarray
        ``(N, D)`` finite.
    prototypes : sequence of numpy.ndarray
        K arrays ``(p_c, D)`` of length-1 rows.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32 in [-1, 1]; -1 for a class without prototypes.

    Raises
    ------
    ValueError
        If a feature is not finite.
    """
    present = [len(found) > 0 for found in prototypes]
    means = np.stack([p.mean(axis=0) if len(p) else np.zeros(p.shape[1]) for p in prototypes])
    similarity = np.full((len(features), len(prototypes)), _NO_PROTOTYPE, dtype=np.float32)
    for part in cached_chunks(features):
        if not np.isfinite(features[part]).all():
            raise ValueError("features must be finite")
        cosines = unit_rows(features[part]) @ means[present].T
        similarity[part, present] = cosines.clip(-1.0, 1.0)
    return similarity


def corrected_labels(similarity: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return ``argmax_c sigma_c``, the paper's equation 5; a tie goes to the observed label.

    Parameters
    ----------
    similarity : numpy.ndarray
        ``(N, K)``.
    observed : numpy.ndarray
        ``(N,)`` int64.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64.
    """
    at_observed = similarity[np.arange(len(observed)), observed] >= similarity.max(axis=1)
    return np.where(at_observed, observed, similarity.argmax(axis=1)).astype(np.int64)


def _cosine_peaks(points: np.ndarray, count: int, quantile: float, limit: float) -> np.ndarray:
    closeness = points @ points.T
    rho = density(closeness, quantile)
    eta = diversity(closeness, rho)
    return points[choose_density_peaks(rho, eta, count=count, limit=limit)]


def _euclidean_peaks(points: np.ndarray, count: int, quantile: float) -> np.ndarray:
    """Take the points with the largest product of density and distance (Rodriguez and Laio)."""
    closeness = -cdist(points, points)
    rho = density(closeness, quantile)
    distance = -diversity(closeness, rho)
    neighbours = (rho + len(rho) - 1.0) / 2.0  # a point at the threshold counts half
    order = np.argsort(-neighbours * distance, kind="stable")
    return unit_rows(points[order[:count]])


def _cluster_centres(points: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    if len(points) == 0:
        return points
    state = int(random.integers(2**31))
    start, _ = kmeans_plusplus(points, min(count, len(points)), random_state=state)
    # Not scikit-learn's KMeans: its threads add partial sums in the order in which they finish.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # fewer different points than centres
        centres, _ = kmeans2(points, start, iter=_LLOYD_ITERATIONS, minit="matrix")
    return unit_rows(centres)
