"""Nearest neighbours, and what they vote for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ferclean.errors import unknown_name
from ferclean.partition.neighbour_index import indexed_neighbours
from ferclean.partition.neighbour_search import comparable, exact_neighbours, pair_distances
from ferclean.partition.vectors import row_chunks

METRICS = ("cosine", "euclidean")
# Up to here all pairs are compared: some 90 s by cosine on two cores, at 512 dimensions.
_MOST_COMPARED = 100_000
# Gathered values of neighbours held at a time.
_CHUNK_VALUES = 2**23


@dataclass(frozen=True)
class Neighbours:
    """The k nearest other rows of each of N rows, nearest first.

    Attributes
    ----------
    index : numpy.ndarray
        ``(N, k)`` int32, half the memory of int64: at 10^6 rows and k = 200 it is the largest
        part of the graph.
    distance : numpy.ndarray
        ``(N, k)`` float32, ascending; of cosines it is ``1 - cos``.
    """

    index: np.ndarray
    distance: np.ndarray


def nearest_neighbours(
    vectors: np.ndarray,
    count: int,
    *,
    metric: str,
    device: torch.device | None = None,
    most_compared: int = _MOST_COMPARED,
) -> Neighbours:
    """Find the nearest other rows of every row.

    Exact up to `most_compared` rows and on a GPU: the time grows with N squared, the memory with N.
    Beyond, on the CPU, through an index that may overlook neighbours for others little further away
    (:func:`~ferclean.partition.neighbour_index.indexed_neighbours`); distances are exact always.

    Parameters
    ----------
    vectors : numpy.ndarray
        ``(N, D)`` finite.
    count : int
        k, at least 1; at most N - 1 are returned. The row itself is never among them, its
        duplicates are.
    metric : str
        ``"cosine"`` (a vector of zeros is at distance 1 from all) or ``"euclidean"``.
    device : torch.device, optional
        Where distances are computed; by default on the CPU.
    most_compared : int
        Rows up to which all pairs are compared on the CPU.

    Returns
    -------
    Neighbours

    Raises
    ------
    ValueError
        If `vectors` is not a finite matrix or `count` is below 1.
    FercleanError
        For an unknown metric, or if faiss is needed and not installed.
    """
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError("vectors must be a finite (N, D) array")
    if count < 1:
        raise ValueError(f"count must be at least 1, found {count}")
    rows, kept = len(vectors), min(count, max(len(vectors) - 1, 0))
    on_processor = device is None or device.type == "cpu"
    if rows > most_compared and on_processor:
        return Neighbours(*indexed_neighbours(vectors, kept, metric=metric))
    points = comparable(vectors, metric).to(device or "cpu")
    return Neighbours(*exact_neighbours(points, np.arange(rows), kept, metric))


def neighbour_weights(distance: np.ndarray, metric: str) -> np.ndarray:
    """Turn distances into similarities.

    Parameters
    ----------
    distance : numpy.ndarray
        ``(N, k)`` of :func:`nearest_neighbours`.
    metric : str
        ``"cosine"`` gives ``max(cos, 0)``; ``"euclidean"`` gives ``exp(-d^2 / (2 s^2))`` with s
        the median of all distances (1 everywhere when that is 0).

    Returns
    -------
    numpy.ndarray
        ``(N, k)`` float32 in [0, 1].
    """
    if metric == "cosine":
        weights = np.subtract(1.0, distance, dtype=np.float32)
        return np.clip(weights, 0.0, 1.0, out=weights)
    width = float(np.median(distance)) if distance.size else 0.0
    if width == 0.0:
        return np.ones(distance.shape, dtype=np.float32)
    return np.exp(-0.5 * np.square(distance / width)).astype(np.float32)


def neighbour_means(index: np.ndarray, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the weighted mean over each row's neighbours of what stands in `values`.

    Parameters
    ----------
    index : numpy.ndarray
        ``(N, k)`` integers.
    weights : numpy.ndarray
        ``(N, k)`` at least 0; where all of a row's are 0 its neighbours count alike.
    values : numpy.ndarray
        ``(N, K)``. A row without neighbours (k is 0) keeps its own.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32.
    """
    if index.shape[1] == 0:
        return values.astype(np.float32)
    means = np.empty((len(index), values.shape[1]), dtype=np.float32)
    for rows in row_chunks(len(index), index.shape[1] * values.shape[1], _CHUNK_VALUES):
        part = weights[rows].astype(np.float64)
        total = part.sum(axis=1, keepdims=True)
        shares = np.where(total > 0, part, 1.0)
        shares /= shares.sum(axis=1, keepdims=True)
        near = values[index[rows]]
        means[rows] = np.einsum("nk,nkc->nc", shares, near)
    return means


def class_votes(
    index: np.ndarray, weights: np.ndarray, labels: np.ndarray, *, classes: int, balanced: bool
) -> np.ndarray:
    """Return how the neighbours vote.

    Parameters
    ----------
    index, weights : numpy.ndarray
        ``(N, k)``, see :func:`neighbour_means`.
    labels : numpy.ndarray
        ``(N,)`` int64 labels of all rows.
    classes : int
        K.
    balanced : bool
        Divide each class's votes by its share of the labels, so that a rare class can win.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.
    """
    votes = neighbour_means(index, weights, np.eye(classes, dtype=np.float32)[labels])
    if balanced:
        votes = votes / np.maximum(np.bincount(labels, minlength=classes), 1)
    return (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)


def batch_neighbours(vectors: Tensor, count: int) -> Tensor:
    """Mark the rows of a batch that are most similar by cosine to each of its rows.

    Parameters
    ----------
    vectors : Tensor
        ``(B, D)``.
    count : int
        Neighbours a row; at most B - 1.

    Returns
    -------
    Tensor
        ``(B, B)`` bool; ``[i, j]`` where j is among the neighbours of i, never on the diagonal.
    """
    with torch.no_grad(), torch.autocast(vectors.device.type, enabled=False):
        points = functional.normalize(vectors.float(), dim=1)
        distance = pair_distances(points, points, "cosine").fill_diagonal_(torch.inf)
        found = distance.topk(min(count, len(points) - 1), dim=1, largest=False).indices
        near = torch.zeros_like(distance, dtype=torch.bool)
        return near.scatter_(1, found, True)
