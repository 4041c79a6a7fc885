"""Nearest neighbours by comparing all pairs, without a matrix of all pairs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ferclean.partition.vectors import row_chunks

# Distances held at a time: 128 MB of float32.
_CHUNK_DISTANCES = 2**25


def comparable(vectors: np.ndarray, metric: str) -> Tensor:
    """Return vectors as float32, scaled to length 1 where cosines are compared."""
    points = torch.from_numpy(np.asarray(vectors, dtype=np.float32))
    return functional.normalize(points, dim=-1) if metric == "cosine" else points


def exact_neighbours(
    points: Tensor,
    rows: np.ndarray,
    count: int,
    metric: str,
    chunk_distances: int = _CHUNK_DISTANCES,
) -> tuple[np.ndarray, np.ndarray]:
    """Compare some rows with all others.

    Parameters
    ----------
    points : Tensor
        ``(N, D)`` of :func:`comparable`, on any device.
    rows : numpy.ndarray
        ``(n,)`` rows whose neighbours are wanted.
    count : int
        k, from 0 to N - 1.
    metric : str
        ``"cosine"`` or ``"euclidean"``.
    chunk_distances : int
        Distances held at a time.

    Returns
    -------
    tuple of numpy.ndarray
        ``(n, k)`` int32 rows, nearest first, and ``(n, k)`` float32 distances.
    """
    near = np.empty((len(rows), count), dtype=np.int32)
    distance = np.empty((len(rows), count), dtype=np.float32)
    with torch.inference_mode():
        for part in row_chunks(len(rows), len(points), chunk_distances):
            own = torch.from_numpy(rows[part]).to(points.device)
            between = pair_distances(points[own], points, metric)
            between.scatter_(1, own[:, None], torch.inf)
            found = between.topk(count, dim=1, largest=False)
            near[part] = found.indices.cpu().numpy()
            distance[part] = found.values.cpu().numpy()
    return near, distance


def pair_distances(part: Tensor, points: Tensor, metric: str) -> Tensor:
    """Return the ``(n, N)`` distances of rows to all points, of :func:`comparable`."""
    if metric == "cosine":
        return (part @ points.T).neg_().add_(1.0)
    # Not by the product of vectors: near points would lose their distance to rounding.
    return torch.cdist(part, points, compute_mode="donot_use_mm_for_euclid_dist")
