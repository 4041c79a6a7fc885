"""Nearest neighbours among very many rows, through an index of faiss.

Rows are grouped into cells (inverted file); a row looks for neighbours in the few cells nearest to
it. Long vectors are compared there by 4 bits for every 2 dimensions (product quantisation with fast
scan: Jegou, Douze & Schmid 2011; Andre, Kermarrec & Le Scouarnec 2015). Of four times as many
candidates as are wanted the distances are then computed exactly: what is returned is right, but
neighbours may be overlooked for others that are little further away. How many depends on the
vectors; benchmarks/neighbours.py measures it. Among rows that lie much closer together than others
(features collapsed to a point a class) the codes tell no rows apart. Time grows with
``N sqrt(N)`` instead of ``N^2``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ferclean.errors import FercleanError
from ferclean.partition.neighbour_search import comparable, exact_neighbours
from ferclean.partition.vectors import row_chunks

# Cells that are searched for every row, and candidates for every neighbour. In 100,000 rows of 7
# broad groups 5 to 9 in a hundred neighbours are overlooked so (benchmarks/neighbours.py); with
# fewer cells, candidates or codes it was up to half of them.
_SEARCHED_CELLS = 32
_CANDIDATES_PER_NEIGHBOUR, _LEAST_SPARE = 4, 64
_DIMENSIONS_PER_CODE = 2
# Up to here vectors are kept as they are: a million take 256 MB at most.
_MOST_UNCODED_DIMENSIONS = 64
# Rows from which cells and codes are learnt: 64 a cell at 1,024 cells.
_TRAINING_ROWS = 2**16
_CELL_ITERATIONS = 10
# Candidates, and values of candidates, held at a time: 8 and 16 MB.
_CHUNK_CANDIDATES = 2**20
_CHUNK_VALUES = 2**22


def indexed_neighbours(
    vectors: np.ndarray, count: int, *, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Find most of the nearest other rows of every row.

    Parameters
    ----------
    vectors : numpy.ndarray
        ``(N, D)`` finite.
    count : int
        k, from 1 to N - 1.
    metric : str
        ``"cosine"`` or ``"euclidean"``.

    Returns
    -------
    tuple of numpy.ndarray
        ``(N, k)`` int32 rows, nearest first, and ``(N, k)`` float32 exact distances to them.

    Raises
    ------
    FercleanError
        If faiss is not installed.
    """
    rows = len(vectors)
    wanted = min(rows, _CANDIDATES_PER_NEIGHBOUR * count + _LEAST_SPARE)
    index = _build(vectors, metric)
    near = np.empty((rows, count), dtype=np.int32)
    distance = np.empty((rows, count), dtype=np.float32)
    for part in row_chunks(rows, wanted, _CHUNK_CANDIDATES):
        own = np.arange(part.start, part.stop)
        found = index.search(_padded(vectors[part], metric), wanted)[1]
        for inner in row_chunks(len(own), wanted * vectors.shape[1], _CHUNK_VALUES):
            place = own[inner]
            near[place], distance[place] = _nearest_of(vectors, place, found[inner], count, metric)
    _complete(vectors, near, distance, metric)
    return near, distance


def _build(vectors: np.ndarray, metric: str) -> Any:
    """Learn cells and codes from some rows, and put all rows in."""
    try:
        import faiss
    except ImportError:
        raise FercleanError(
            f"the neighbours of {len(vectors):,} rows are found through an index: "
            "pip install faiss-cpu, or train on a GPU, which compares all pairs"
        ) from None
    faiss.omp_set_num_threads(torch.get_num_threads())
    width = _padded(vectors[:1], metric).shape[1]
    cells = 2 ** round(np.log2(max(len(vectors), 4)) / 2)
    coded = width > _MOST_UNCODED_DIMENSIONS
    kept = f"PQ{width // _DIMENSIONS_PER_CODE}x4fs" if coded else "Flat"
    # By inner products a vector of zeros is as far from all others as its cosine of 0 says.
    order = faiss.METRIC_INNER_PRODUCT if metric == "cosine" else faiss.METRIC_L2
    index: Any = faiss.index_factory(width, f"IVF{cells},{kept}", order)
    index.cp.niter, index.nprobe = _CELL_ITERATIONS, _SEARCHED_CELLS
    index.cp.min_points_per_centroid = 1  # faiss prints a warning below 39
    rows = np.random.default_rng(0).permutation(len(vectors))[:_TRAINING_ROWS]
    index.train(_padded(vectors[np.sort(rows)], metric))
    for part in row_chunks(len(vectors), width, _CHUNK_VALUES):
        index.add(_padded(vectors[part], metric))
    return index


def _padded(vectors: np.ndarray, metric: str) -> np.ndarray:
    """Return comparable rows, padded with zeros to whole codes."""
    points = comparable(vectors, metric).numpy()
    missing = -points.shape[1] % (2 * _DIMENSIONS_PER_CODE)
    return np.ascontiguousarray(np.pad(points, ((0, 0), (0, missing))))


def _nearest_of(
    vectors: np.ndarray, own: np.ndarray, candidates: np.ndarray, count: int, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Take the nearest of each row's candidates; where too few were found, at distance infinity."""
    known = (candidates >= 0) & (candidates != own[:, None])
    candidates = np.where(known, candidates, own[:, None])
    points, others = comparable(vectors[own], metric), comparable(vectors[candidates], metric)
    if metric == "cosine":
        distance = 1.0 - torch.einsum("nd,nkd->nk", points, others)
    else:
        distance = torch.linalg.vector_norm(others - points[:, None], dim=2)
    distance[~torch.from_numpy(known)] = torch.inf
    found = distance.topk(count, dim=1, largest=False)
    near = np.take_along_axis(candidates, found.indices.numpy(), axis=1)
    return near.astype(np.int32), found.values.numpy()


def _complete(vectors: np.ndarray, near: np.ndarray, distance: np.ndarray, metric: str) -> None:
    """Compare the rows whose cells held too few others with all rows."""
    lacking = np.flatnonzero(np.isinf(distance[:, -1]))
    if len(lacking):
        points = comparable(vectors, metric)
        near[lacking], distance[lacking] = exact_neighbours(points, lacking, near.shape[1], metric)
