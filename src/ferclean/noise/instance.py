"""Instance-dependent noise of Xia et al. 2020 (part-dependent label noise, their Algorithm 2).

For row i with picture x and label y::

    q ~ TruncatedNormal(rate, spread, [0, 1])
    z = x W_y            W_k ~ N(0, 1), one (pixels, K) matrix a class
    p = q softmax(z without y), p_y = 1 - q;   the new label is drawn from p

Choices where the publication and its code leave room:

* x is standardised with one mean and deviation a channel (their code: CIFAR's constants); here
  the training pictures' own.
* x W is not scaled down. Its deviation grows with the square root of the number of pixels, so
  the softmax is close to one-hot: a picture that flips has nearly always one certain wrong
  class, as in the published draws.
* W belongs to the noise, not to the rows: training and validation rows share it.
* A truncated normal has its mean above the nominal rate near 0 and below it near 1 (0.129 at
  rate 0.1, spread 0.1). A rate of exactly 0 changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats
from scipy.special import softmax

from ferclean.noise.protocols import checked_codes
from ferclean.tables.face_packs import Faces

_CHUNK_BYTES = 32 << 20  # of float64 pixels held at a time, whatever the number of pictures


def channel_statistics(pictures: Faces, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel over some pictures.

    Parameters
    ----------
    pictures : Faces
        ``(N, H, W, C)`` uint8, may be memory-mapped; read in chunks.
    rows : numpy.ndarray
        ``(n,)`` positions.

    Returns
    -------
    mean, deviation : numpy.ndarray
        ``(C,)`` float64. A constant channel has deviation 1, no rows give mean 0.
    """
    channels = pictures.shape[3]
    histogram = np.zeros((channels, 256), dtype=np.int64)  # exact, whatever the chunks
    for chunk in _chunks(rows, int(np.prod(pictures.shape[1:]))):
        block = pictures[chunk].reshape(-1, channels)
        for channel in range(channels):
            histogram[channel] += np.bincount(block[:, channel], minlength=256)
    levels, total = np.arange(256.0), np.maximum(histogram.sum(axis=1), 1)
    mean = histogram @ levels / total
    variance = (histogram * (levels - mean[:, None]) ** 2).sum(axis=1) / total
    return mean, np.where(variance > 0, np.sqrt(variance), 1.0)


def instance_dependent(
    codes: np.ndarray,
    pictures: Faces,
    class_count: int,
    *,
    rows: np.ndarray,
    statistics: tuple[np.ndarray, np.ndarray],
    rate: float,
    spread: float,
    generator: np.random.Generator,
    projection_seed: np.random.SeedSequence,
) -> np.ndarray:
    """Flip labels with a chance and towards a class that depend on the picture.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(n,)`` integers in ``[-1, class_count)``.
    pictures : Faces
        ``(N, H, W, C)`` uint8, may be memory-mapped; memory use does not grow with N.
    class_count : int
        Number of classes K, at least 2 if `rate` is above 0.
    rows : numpy.ndarray
        ``(n,)`` positions of the pictures that belong to `codes`.
    statistics : tuple of numpy.ndarray
        Mean and deviation a channel, of :func:`channel_statistics`.
    rate, spread : float
        Centre (in ``[0, 1]``) and deviation (above 0) of the per-sample flip rate.
    generator : numpy.random.Generator
        Source of the flip rates and the draw.
    projection_seed : numpy.random.SeedSequence
        Source of the matrices W.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` int64.
    """
    codes = checked_codes(codes, class_count, rate)
    if len(rows) != len(codes):
        raise ValueError(f"{len(rows)} pictures for {len(codes)} labels")
    flip_rates = _flip_rates(rate, spread, generator.random(len(codes)))
    flips = generator.random(len(codes)) < flip_rates
    picks = generator.random(len(codes))
    observed = codes.copy()
    if rate == 0:
        return observed
    pixels = int(np.prod(pictures.shape[1:]))
    for label in range(class_count):
        members = np.flatnonzero(flips & (codes == label))
        weights = _projection(projection_seed, label, pixels, class_count)
        for chunk in _chunks(members, pixels):
            scores = _standardised(pictures[rows[chunk]], *statistics) @ weights
            observed[chunk] = _wrong_classes(scores, label, picks[chunk])
    return observed


def _flip_rates(rate: float, spread: float, uniform: np.ndarray) -> np.ndarray:
    low, high = (0 - rate) / spread, (1 - rate) / spread
    return np.asarray(stats.truncnorm.ppf(uniform, low, high, loc=rate, scale=spread))


def _projection(
    seed: np.random.SeedSequence, label: int, pixels: int, class_count: int
) -> np.ndarray:
    # One matrix at a time: all K of them would take gigabytes for 100 classes at 224 px.
    own = np.random.SeedSequence(entropy=seed.entropy, spawn_key=(*seed.spawn_key, label))
    return np.random.default_rng(own).standard_normal((pixels, class_count))


def _standardised(pictures: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    return np.asarray(((pictures - mean) / deviation).reshape(len(pictures), -1))


def _wrong_classes(scores: np.ndarray, label: int, picks: np.ndarray) -> np.ndarray:
    scores[:, label] = -np.inf
    cumulative = np.cumsum(softmax(scores, axis=1), axis=1)
    # The last column may be a rounding error away from 1, so the pick is scaled by it and kept
    # below it; counting the columns at or below never selects a class of probability 0.
    last = cumulative[:, -1:]
    limit = np.minimum(picks[:, None] * last, np.nextafter(last, 0))
    return np.asarray((cumulative <= limit).sum(axis=1), dtype=np.int64)


def _chunks(rows: np.ndarray, pixels: int) -> Iterator[np.ndarray]:
    size = max(1, _CHUNK_BYTES // (8 * pixels))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
