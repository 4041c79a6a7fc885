"""Rows of vectors: their length, and chunks of them that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

# Of float64: 32 MB.
_CHUNK_VALUES = 2**22
# Of float64: 1 MiB, so that several passes over a part find it in a core's cache.
CACHED_VALUES = 2**17


def unit_rows(vectors: np.ndarray, dtype: type[np.floating[Any]] = np.float64) -> np.ndarray:
    """Scale the rows of ``(n, D)`` vectors to length 1, in `dtype`; a row of zeros stays so."""
    vectors = vectors.astype(dtype)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))


def cached_chunks(vectors: np.ndarray) -> Iterator[slice]:
    """Cut the rows of ``(N, D)`` vectors into parts of at most `CACHED_VALUES`, in order."""
    return row_chunks(len(vectors), vectors.shape[1], CACHED_VALUES)


def row_chunks(rows: int, width: int, values: int | None = None) -> Iterator[slice]:
    """Cut rows into parts of at most so many values, and of at least one row.

    Parameters
    ----------
    rows : int
        Number of rows, at least 0.
    width : int
        Values that are held a row.
    values : int, optional
        Values that are held at a time; 2^22 by default.

    Yields
    ------
    slice
        In order; together they cover every row once.
    """
    step = max(1, (_CHUNK_VALUES if values is None else values) // max(width, 1))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
