"""Vectors from valence, arousal and dominance ratings: no download, a citable source."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist, squareform

from ferclean.semantics.words import missing_word

CITATION = (
    "Russell, J. A., & Mehrabian, A. (1977). Evidence for a three-factor theory of emotions. "
    "Journal of Research in Personality, 11(3), 273-294. doi:10.1016/0092-6566(77)90037-X"
)


def read_ratings() -> pd.DataFrame:
    """Read the rating table that comes with the package.

    Returns
    -------
    pandas.DataFrame
        Indexed by word; columns ``valence``, ``arousal`` and ``dominance`` in ``[-1, 1]``.
    """
    source = resources.files("ferclean.semantics").joinpath("affect_ratings.csv")
    with source.open(encoding="utf-8") as stream:
        frame = pd.read_csv(stream, comment="#", index_col="word")
    return frame[["valence", "arousal", "dominance"]].astype(np.float64)


def affect_vectors(words: Mapping[str, str]) -> np.ndarray:
    """Turn the ratings of some words into vectors whose cosines are a kernel of distances.

    Raw ratings will not do: neutral is their origin, where a cosine is undefined.

    Parameters
    ----------
    words : mapping of str to str
        Class to word, K entries.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64, rows of length 1.

    Raises
    ------
    FercleanError
        For a word that was not rated.
    """
    ratings = read_ratings()
    for name, word in words.items():
        if word not in ratings.index:
            raise missing_word(name, word, ratings.index, "the affect table")
    return kernel_vectors(distance_kernel(ratings.loc[list(words.values())].to_numpy()))


def distance_kernel(points: np.ndarray) -> np.ndarray:
    """Return the Gaussian kernel ``exp(-d^2 / (2 s^2))`` of Euclidean distances.

    Parameters
    ----------
    points : numpy.ndarray
        ``(K, D)`` float64.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` symmetric, 1 on the diagonal, in ``(0, 1]``; the bandwidth s is the median
        of the pairwise distances (1 where that median is 0 or there is no pair).
    """
    distances = pdist(points)
    median = float(np.median(distances)) if len(distances) else 0.0
    bandwidth = median if median > 0 else 1.0
    return np.asarray(np.exp(-(squareform(distances) ** 2) / (2 * bandwidth**2)))


def kernel_vectors(kernel: np.ndarray) -> np.ndarray:
    """Factorise a Gram matrix into vectors with these inner products.

    Parameters
    ----------
    kernel : numpy.ndarray
        ``(K, K)`` symmetric, positive semi-definite.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64: ``vectors @ vectors.T`` is the kernel. Columns fall in importance;
        each column's entry of largest size is positive, so that no library decides the sign.
    """
    values, directions = np.linalg.eigh(kernel)
    values, directions = values[::-1], directions[:, ::-1]
    # Below rounding error a direction is arbitrary: two equal points would get unequal vectors.
    values = np.where(values > len(values) * np.finfo(np.float64).eps * values[0], values, 0.0)
    largest = np.abs(directions).argmax(axis=0)
    signs = np.where(directions[largest, np.arange(len(values))] < 0, -1.0, 1.0)
    return np.asarray(directions * signs * np.sqrt(values))
