"""The file of semantic similarities: a row's cosine to each class word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ferclean.errors import FercleanError
from ferclean.tables.atomic import atomic_path
from ferclean.tables.inputs import read_parquet_frame

_PREFIX = "s_"


def write_similarity(
    sample_id: np.ndarray, classes: Sequence[str], similarity: np.ndarray, path: str | Path
) -> None:
    """Write ``sample_id`` and ``s_<class>`` to Parquet, atomically.

    Parameters
    ----------
    sample_id : numpy.ndarray
        ``(N,)`` text.
    classes : sequence of str
        K class names in order.
    similarity : numpy.ndarray
        ``(N, K)`` float32.
    path : str or Path
        The file.
    """
    columns = {f"{_PREFIX}{name}": similarity[:, k] for k, name in enumerate(classes)}
    frame = pd.DataFrame({"sample_id": sample_id, **columns})
    with atomic_path(path) as temporary:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, temporary, compression="zstd")


def read_similarity(path: str | Path, classes: Sequence[str], sample_id: np.ndarray) -> np.ndarray:
    """Read the similarities of exactly these rows to exactly these classes.

    Parameters
    ----------
    path : str or Path
        Written by :func:`write_similarity`.
    classes : sequence of str
        K class names in the order of the columns.
    sample_id : numpy.ndarray
        ``(N,)`` text in the order of the rows.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32 in [-1, 1].

    Raises
    ------
    FercleanError
        If the file cannot be read, has other rows or classes, or holds something else than
        cosines.
    """
    frame = read_parquet_frame(path, "similarities")
    expected = ["sample_id", *(f"{_PREFIX}{name}" for name in classes)]
    if list(frame.columns) != expected:
        raise FercleanError(
            f"{path} is not a table of similarities to the classes {', '.join(classes)} in this "
            "order; run semantic-embedding again"
        )
    if not np.array_equal(frame["sample_id"].to_numpy(), sample_id):
        raise FercleanError(
            f"{path} describes other rows than the training rows of the label table; run "
            "semantic-embedding again"
        )
    try:
        values = frame[expected[1:]].to_numpy(dtype=np.float32)
    except (TypeError, ValueError):
        values = np.full((1, 1), np.nan, dtype=np.float32)
    if not (np.abs(values) <= 1.0 + 1e-6).all():  # a NaN fails this too
        raise FercleanError(f"{path} holds something else than cosines; run semantic-embedding")
    return values
