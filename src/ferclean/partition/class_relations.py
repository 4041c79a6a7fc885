"""Relations of rows to classes: cosines, confidence-weighted prototypes, label distributions.

The parts of SCE-ALD (Mao et al., arXiv 2107.11061), equations 2 to 6.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from ferclean.errors import unknown_name
from ferclean.partition.vectors import cached_chunks, unit_rows

DISTANCES = ("l2norm", "raw")
# Cosine to a class without prototype: the lowest that a cosine takes.
_NO_PROTOTYPE = -1.0
# Keeps 1 / distance^2 finite on a prototype; distances of unit vectors lie in [0, 2].
_GUARD = 1e-8
_EPSILON_SHARE = 1e-2
# Confidences are clipped to these multiples of their median.
_CONFIDENCE_RANGE = (0.01, 100.0)


def cosine_graph(vectors: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Return the class-relation graph ``S_ik = cos(r_k, x_i)``, the paper's equations 2 and 3.

    Parameters
    ----------
    vectors : numpy.ndarray
        ``(N, D)`` finite: codes, or features.
    references : numpy.ndarray
        ``(K, D)``: word vectors, or prototypes; a row of NaN is a class without any.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32 in [-1, 1]; 0 for a vector of zeros, -1 for a class without reference.

    Raises
    ------
    ValueError
        If a vector is not finite or the dimensions differ.
    """
    _check_vectors(vectors, references.shape[1])
    present = np.isfinite(references).all(axis=1)
    unit = unit_rows(references[present])
    graph = np.full((len(vectors), len(references)), _NO_PROTOTYPE, dtype=np.float32)
    for part in cached_chunks(vectors):
        graph[part, present] = (unit_rows(vectors[part]) @ unit.T).clip(-1.0, 1.0)
    return graph


def confidence(distance: np.ndarray, largest: float) -> np.ndarray:
    """Return ``alpha = 1 / (W + eps)``, the paper's equation 4, clipped around its median.

    ``eps`` is 1 % of the largest distance there can be, and alpha is kept within 0.01 and 100
    times its median; the paper leaves both open.

    Parameters
    ----------
    distance : numpy.ndarray
        ``(N,)`` at least 0.
    largest : float
        The largest distance there can be, above 0.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float32 above 0.

    Raises
    ------
    ValueError
        If a distance is negative or not finite.
    """
    if not np.isfinite(distance).all() or (distance < 0).any():
        raise ValueError("distances must be finite and at least 0")
    alpha = 1.0 / (distance.astype(np.float64) + _EPSILON_SHARE * largest)
    low, high = _CONFIDENCE_RANGE
    middle = float(np.median(alpha)) if len(alpha) else 1.0
    return np.clip(alpha, low * middle, high * middle).astype(np.float32)


def weighted_prototypes(
    features: np.ndarray, observed: np.ndarray, weight: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``p_k = sum alpha_i f_i / sum alpha_i`` over the rows of each class.

    The paper's equation 5 divides by the number of rows instead, which is no average unless
    the weights have mean 1; with equal weights both are the same.

    Parameters
    ----------
    features : numpy.ndarray
        ``(N, D)`` finite.
    observed : numpy.ndarray
        ``(N,)`` int64 in ``[0, classes)``.
    weight : numpy.ndarray
        ``(N,)`` above 0.
    classes : int
        K.

    Returns
    -------
    prototypes : numpy.ndarray
        ``(K, D)`` float64; NaN for a class without rows.
    total : numpy.ndarray
        ``(K,)`` float64, the summed weights.

    Raises
    ------
    ValueError
        If a feature or weight is not finite, a weight is not above 0, or lengths differ.
    """
    _check_vectors(features, features.shape[1])
    if not len(features) == len(observed) == len(weight):
        raise ValueError(f"{len(features)} features, {len(observed)} labels, {len(weight)} weights")
    if not np.isfinite(weight).all() or (weight <= 0).any():
        raise ValueError("weights must be finite and above 0")
    sums, total = np.zeros((classes, features.shape[1])), np.zeros(classes)
    for part in cached_chunks(features):
        member = np.eye(classes)[observed[part]] * weight[part].astype(np.float64)[:, None]
        sums += member.T @ features[part].astype(np.float64)
        total += member.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return sums / np.where(total > 0, total, np.nan)[:, None], total


def prototype_distributions(
    features: np.ndarray,
    observed: np.ndarray,
    weight: np.ndarray,
    classes: int,
    *,
    distance: str,
    exponent: float,
    leave_one_out: bool,
) -> np.ndarray:
    """Return amended label distributions, the paper's equation 6.

    ``l_ik = d_ik^(-2 kappa) / sum_m d_im^(-2 kappa)`` with ``d_ik = ||f_i - p_k||`` and 1e-8
    added to every square. A class without rows has no prototype and gets 0.

    Parameters
    ----------
    features, observed, weight, classes
        As for :func:`weighted_prototypes`.
    distance : str
        ``"l2norm"`` scales features and prototypes to length 1 first; ``"raw"`` is the paper's
        formula as it stands, whose distances concentrate in many dimensions.
    exponent : float
        kappa, above 0; 1 is the paper's.
    leave_one_out : bool
        Measure each row against its own class's prototype without that row. A class of one
        row keeps its prototype.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.

    Raises
    ------
    FercleanError
        For an unknown distance.
    """
    if distance not in DISTANCES:
        raise unknown_name("distance to prototypes", distance, DISTANCES)
    prototypes, total = weighted_prototypes(features, observed, weight, classes)
    scaled = unit_rows if distance == "l2norm" else _as_float
    present = np.isfinite(prototypes).all(axis=1)
    references = scaled(prototypes[present])
    found = np.zeros((len(features), classes), dtype=np.float32)
    for part in cached_chunks(features):
        points, rows = scaled(features[part]), np.arange(len(observed[part]))
        squared = np.full((len(points), classes), np.inf)
        squared[:, present] = _squared_distances(points, references)
        if leave_one_out:
            own = _without_row(
                prototypes[observed[part]], total[observed[part]], features[part], weight[part]
            )
            squared[rows, observed[part]] = np.square(points - scaled(own)).sum(axis=1)
        found[part] = softmax(-exponent * np.log(squared + _GUARD), axis=1)
    return found


def _without_row(
    prototypes: np.ndarray, total: np.ndarray, features: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Take each row out of its own class's weighted mean: ``(S p - a f) / (S - a)``."""
    own = weight.astype(np.float64)
    rest = total - own
    alone = rest <= 1e-9 * total
    safe = np.where(alone, 1.0, rest)
    moved = (total[:, None] * prototypes - own[:, None] * features) / safe[:, None]
    return np.where(alone[:, None], prototypes, moved)


def _squared_distances(points: np.ndarray, references: np.ndarray) -> np.ndarray:
    squares = np.square(points).sum(axis=1)[:, None] + np.square(references).sum(axis=1)
    return np.maximum(squares - 2.0 * points @ references.T, 0.0)


def _as_float(vectors: np.ndarray) -> np.ndarray:
    return vectors.astype(np.float64)


def _check_vectors(vectors: np.ndarray, dimensions: int) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != dimensions:
        raise ValueError(f"expected (N, {dimensions}) vectors, found {vectors.shape}")
    if not all(np.isfinite(vectors[part]).all() for part in cached_chunks(vectors)):
        raise ValueError("features must be finite")
