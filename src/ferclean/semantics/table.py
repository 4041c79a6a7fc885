"""The table of word vectors: text that keeps every bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ferclean.errors import FercleanError


def word_vector_frame(words: dict[str, str], vectors: np.ndarray) -> pd.DataFrame:
    """Return the table ``class``, ``word``, ``v0`` ... ``v<D-1>``.

    Parameters
    ----------
    words : dict of str to str
        Class to word, K entries.
    vectors : numpy.ndarray
        ``(K, D)`` float64.
    """
    numbers = pd.DataFrame(vectors, columns=[f"v{i}" for i in range(vectors.shape[1])])
    names = pd.DataFrame({"class": list(words), "word": list(words.values())})
    return pd.concat([names, numbers], axis=1)


def read_word_vectors(path: str | Path, classes: Sequence[str]) -> np.ndarray:
    """Read the vectors of some classes, in their order.

    Parameters
    ----------
    path : str or Path
        ``word_vectors.csv`` of the step ``word-vectors``.
    classes : sequence of str
        K class names.

    Returns
    -------
    numpy.ndarray
        ``(K, D)`` float64, bit for bit what was written.

    Raises
    ------
    FercleanError
        If the file cannot be read, lacks a class, or holds something that is no number.
    """
    try:
        # As text: Python's own float() gives back every bit, whatever the version of pandas.
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise FercleanError(f"cannot read word vectors {path}: {error.strerror}") from None
    except ValueError as error:
        raise FercleanError(f"{path} is not a table of word vectors: {error}") from None
    columns = [name for name in frame.columns if name not in ("class", "word")]
    if "class" not in frame or not columns or frame["class"].duplicated().any():
        raise FercleanError(f"{path} is not a table of word vectors with one row a class")
    missing = [name for name in classes if name not in set(frame["class"])]
    if missing:
        raise FercleanError(f"{path} has no vector for the class {missing[0]!r}")
    try:
        rows = frame.set_index("class").loc[list(classes), columns].to_numpy(dtype=object)
        vectors = np.array([[float(value) for value in row] for row in rows], dtype=np.float64)
    except ValueError:
        raise FercleanError(f"{path}: a word vector holds something that is no number") from None
    if not np.isfinite(vectors).all():
        raise FercleanError(f"{path}: a word vector is not finite")
    return vectors
