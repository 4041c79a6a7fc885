"""How similar the class words are, by gensim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def keyed_vectors(classes: Sequence[str], vectors: np.ndarray) -> KeyedVectors:
    """Return gensim KeyedVectors in float64, keyed by class (two classes may share a word).

    Parameters
    ----------
    classes : sequence of str
        K class names.
    vectors : numpy.ndarray
        ``(K, D)`` float64.
    """
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(vectors.shape[1], dtype=np.float64)
    keyed.add_vectors(list(classes), np.asarray(vectors, dtype=np.float64))
    return keyed


def similarity_matrix(classes: Sequence[str], vectors: np.ndarray) -> np.ndarray:
    """Return the cosines of all pairs of classes.

    Parameters
    ----------
    classes : sequence of str
        K class names.
    vectors : numpy.ndarray
        ``(K, D)`` float64, no zero row.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64 in ``[-1, 1]``, symmetric, 1 on the diagonal.
    """
    keyed = keyed_vectors(classes, vectors)
    cosines = np.eye(len(classes))
    for i, one in enumerate(classes):
        for j, other in enumerate(classes[:i]):
            cosines[i, j] = cosines[j, i] = keyed.similarity(one, other)
    return np.clip(cosines, -1.0, 1.0)


def nearest_classes(classes: Sequence[str], similarity: np.ndarray) -> dict[str, str | None]:
    """Name the most similar other class of each class.

    Parameters
    ----------
    classes : sequence of str
        K class names.
    similarity : numpy.ndarray
        ``(K, K)`` from :func:`similarity_matrix`.

    Returns
    -------
    dict of str to str or None
        ``None`` where no single class is the most similar one.
    """
    nearest: dict[str, str | None] = {}
    for k, name in enumerate(classes):
        others = np.delete(np.arange(len(classes)), k)
        values = similarity[k, others]
        best = np.flatnonzero(values == values.max()) if len(values) else values
        nearest[name] = classes[int(others[best[0]])] if len(best) == 1 else None
    return nearest
