"""What a row's nearest neighbours in feature space say of its label, and how near they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from ferclean.partition.vectors import row_chunks, unit_rows

# Neighbours a row; fewer where a class would not fill its own neighbourhood.
_MOST_NEIGHBOURS, _FEWEST_NEIGHBOURS = 50, 5
# The nearest of them that are named: as many as a person looks at.
_NAMED = 6
# The sum of the squares of more would not be finite in single precision.
_LARGEST = 1e15
# Rows that neighbours are looked for among: exact up to here, and 2^16 N D operations beyond.
_MOST_REFERENCES = 2**16
_QUERY_VALUES = 2**24
# Tukey's outer fence ("far out" in Exploratory Data Analysis, 1977), on log distances.
_FAR_RANGES = 3.0
_SMALLEST_DISTANCE = 1e-6


@dataclass(frozen=True)
class Neighbourhood:
    """What N rows' neighbours say.

    Attributes
    ----------
    votes : numpy.ndarray
        ``(N, K)`` float32: share of each class among the neighbours' labels, each class with one
        vote more, spread by the classes' shares; rows sum to 1. A row's own label has no part.
    distance : numpy.ndarray
        ``(N,)`` float32 in [0, 1]: mean of ``(1 - cos) / 2`` over the neighbours.
    nearest : numpy.ndarray
        ``(N, n)`` int64 row numbers of the nearest neighbours, n at most 6, nearest first.
    """

    votes: np.ndarray
    distance: np.ndarray
    nearest: np.ndarray


def look_around(
    features: np.ndarray, labels: np.ndarray, *, classes: int, seed: int = 0
) -> Neighbourhood:
    """Find each row's nearest neighbours by cosine and count their labels.

    Parameters
    ----------
    features : numpy.ndarray
        ``(N, D)`` finite.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, classes)``.
    classes : int
        K.
    seed : int
        Of the 65,536 rows that neighbours are looked for among where there are more.

    Returns
    -------
    Neighbourhood

    Raises
    ------
    ValueError
        If the features are no finite ``(N, D)`` matrix.
    """
    points = unit_rows(_checked(features, len(labels)), np.float32)
    rows = len(points)
    shares = (np.bincount(labels, minlength=classes) + 1.0) / (rows + classes)
    votes = np.tile(shares, (rows, 1)).astype(np.float32)
    distance = np.zeros(rows, dtype=np.float32)
    references = _references(rows, seed)
    count = min(_neighbours(rows, classes), len(references) - 1)
    nearest = np.zeros((rows, max(0, min(count, _NAMED))), dtype=np.int64)
    if count < 1:
        return Neighbourhood(votes, distance, nearest)
    # Of unit vectors, the squared Euclidean distance is 2 (1 - cos).
    search = NearestNeighbors(n_neighbors=count + 1, algorithm="brute").fit(points[references])
    for part in row_chunks(rows, points.shape[1] + classes * count, _QUERY_VALUES):
        away, found = search.kneighbors(points[part])
        index = references[found]
        others = _without_self(index, np.arange(part.start, part.stop))
        index = index[others].reshape(len(index), count)
        away = away[others].reshape(len(index), count)
        nearest[part] = index[:, :_NAMED]
        distance[part] = np.square(away).mean(axis=1) / 4.0
        cast = np.eye(classes, dtype=np.float32)[labels[index]].sum(axis=1)
        votes[part] = (cast + shares) / (count + 1.0)
    return Neighbourhood(votes, distance, nearest)


def far_rows(distance: np.ndarray) -> np.ndarray:
    """Mark the rows that are farther from their neighbours than any bulk of rows explains.

    Parameters
    ----------
    distance : numpy.ndarray
        ``(N,)`` at least 0, of :class:`Neighbourhood`.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool: log distance above the upper quartile by three times the range between
        the quartiles.
    """
    if len(distance) == 0:
        return np.zeros(0, dtype=bool)
    scale = np.log(np.maximum(distance.astype(np.float64), _SMALLEST_DISTANCE))
    low, high = np.quantile(scale, (0.25, 0.75))
    return np.asarray(scale > high + _FAR_RANGES * (high - low))


def _checked(features: np.ndarray, rows: int) -> np.ndarray:
    points = np.asarray(features)
    if points.ndim != 2 or len(points) != rows or not points.shape[1]:
        raise ValueError(f"features must be ({rows}, D), found {points.shape}")
    if not (np.abs(points) < _LARGEST).all():  # NaN is not, either
        raise ValueError(f"features must be finite and below {_LARGEST:g}")
    return points


def _references(rows: int, seed: int) -> np.ndarray:
    if rows <= _MOST_REFERENCES:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, _MOST_REFERENCES, replace=False))


def _neighbours(rows: int, classes: int) -> int:
    """Half of what a class of mean size holds, so that it can win its own neighbourhood."""
    return int(np.clip(rows // (2 * classes), _FEWEST_NEIGHBOURS, _MOST_NEIGHBOURS))


def _without_self(index: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Mark all but one of each row's finds: itself, or the farthest where it is not found."""
    is_self = index == own[:, None]
    missing = ~is_self.any(axis=1)
    is_self[missing, -1] = True
    return ~is_self
