"""How far two class-relation graphs of a picture lie apart.

SCE-ALD (Mao et al., arXiv 2107.11061) takes a Wasserstein distance for that, which can be read in
three ways.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import softmax

from ferclean.errors import unknown_name
from ferclean.partition.optimal_transport import transport_distance
from ferclean.partition.vectors import row_chunks, unit_rows


def relation_distance(
    semantic: np.ndarray,
    task: np.ndarray,
    *,
    reading: str,
    cost: np.ndarray,
    temperature: float,
) -> np.ndarray:
    """Return how far two class-relation graphs of each row lie apart (SCE-ALD, equation 4).

    The paper writes ``Wass(S^s, S^t)`` of two vectors of cosines; they are no distributions, so
    it has to be read in some way:

    * ``"semantic"``: ``softmax(S / temperature)`` of both, moved between classes at `cost`;
    * ``"sample"``: the K cosines as a sample each, as ``scipy.stats.wasserstein_distance`` of
      the two vectors does. Which class a cosine belongs to is lost;
    * ``"index"``: the softmaxes as distributions on 0..K-1, which depends on the order in
      which the classes happen to stand.

    Parameters
    ----------
    semantic, task : numpy.ndarray
        ``(N, K)`` finite cosines.
    reading : str
        ``"semantic"``, ``"sample"`` or ``"index"``.
    cost : numpy.ndarray
        ``(K, K)`` ground cost of the reading ``"semantic"``.
    temperature : float
        Above 0.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64, at least 0.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.
    FercleanError
        For an unknown reading.
    """
    if reading not in _READINGS:
        raise unknown_name("reading of the transport distance", reading, _READINGS)
    if semantic.shape != task.shape or semantic.ndim != 2:
        raise ValueError(f"expected two (N, K) arrays: {semantic.shape}, {task.shape}")
    if not (np.isfinite(semantic).all() and np.isfinite(task).all()):
        raise ValueError("similarities must be finite")
    found = np.empty(len(semantic))
    for part in row_chunks(*semantic.shape):
        pair = semantic[part].astype(np.float64), task[part].astype(np.float64)
        found[part] = _READINGS[reading](*pair, cost, temperature)
    return found


def largest_distance(reading: str, classes: int) -> float:
    """Return the largest value of :func:`relation_distance`, the cost's largest entry being 1."""
    return {"semantic": 1.0, "sample": 2.0, "index": float(max(classes - 1, 1))}[reading]


def ground_cost(vectors: np.ndarray) -> np.ndarray:
    """Return ``1 - cos(v_k, v_l)`` scaled to a largest entry of 1.

    Parameters
    ----------
    vectors : numpy.ndarray
        ``(K, D)`` word vectors, no zero row.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64 in [0, 1], symmetric, 0 on the diagonal; all 0 where all vectors
        point the same way.

    Raises
    ------
    ValueError
        If a vector is zero or not finite.
    """
    if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
        raise ValueError("word vectors must be finite and not zero")
    unit = unit_rows(vectors)
    cost = np.clip(1.0 - unit @ unit.T, 0.0, None)
    cost = (cost + cost.T) / 2.0
    np.fill_diagonal(cost, 0.0)
    largest = cost.max(initial=0.0)
    return np.asarray(cost / largest if largest > 1e-12 else np.zeros_like(cost))


def _by_cost(
    semantic: np.ndarray, task: np.ndarray, cost: np.ndarray, temperature: float
) -> np.ndarray:
    shares = [softmax(graph / temperature, axis=1) for graph in (semantic, task)]
    return transport_distance(shares[0], shares[1], cost)


def _by_sample(
    semantic: np.ndarray, task: np.ndarray, cost: np.ndarray, temperature: float
) -> np.ndarray:
    """Two samples of equal size: the mean difference of their sorted values."""
    return np.asarray(np.abs(np.sort(semantic, axis=1) - np.sort(task, axis=1)).mean(axis=1))


def _by_index(
    semantic: np.ndarray, task: np.ndarray, cost: np.ndarray, temperature: float
) -> np.ndarray:
    """Distributions on a line: the summed difference of their cumulative shares."""
    shares = [softmax(graph / temperature, axis=1) for graph in (semantic, task)]
    return np.asarray(np.abs(np.cumsum(shares[0] - shares[1], axis=1)[:, :-1]).sum(axis=1))


_Reading = Callable[[np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]
_READINGS: dict[str, _Reading] = {"semantic": _by_cost, "sample": _by_sample, "index": _by_index}
