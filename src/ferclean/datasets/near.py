"""Find nearly equal pictures among many, without comparing all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

# A hash of N bits is cut into `distance + _EQUAL_BLOCKS` blocks; hashes at most `distance` bits
# apart agree on at least _EQUAL_BLOCKS of them (pigeonhole, Manku et al. 2007, "Detecting
# near-duplicates for web crawling"). Three blocks make keys of about 32 bits for distance 3.
_EQUAL_BLOCKS = 3
_HASH_BITS = 64
# Hashes with one key are sorted and each is compared with this many followers at most, so that a
# million frames of one film cost 10^9 comparisons and not 10^12.
LARGEST_BUCKET = 1000
# Thumbnails flatter than this (standard deviation in grey levels) have a hash made of noise.
FLAT = 2.0
# Least correlation of two thumbnails that confirms a hash match. Of hash matches in FER2013 that
# were looked at, twelve a band, all above 0.95 showed one photograph twice (moved, retouched,
# recompressed), ten between 0.9 and 0.95, and a quarter between 0.8 and 0.9.
LEAST_CORRELATION = 0.95


@dataclass(frozen=True)
class NearPairs:
    """Pairs of nearly equal pictures.

    Attributes
    ----------
    first, second : numpy.ndarray
        ``(P,)`` int64 positions with ``first < second``, sorted, each pair once.
    distance : numpy.ndarray
        ``(P,)`` int64, differing bits of the two hashes.
    complete : bool
        False when a bucket was larger than :data:`LARGEST_BUCKET`, so that pairs may be missing.
    """

    first: np.ndarray
    second: np.ndarray
    distance: np.ndarray
    complete: bool


def near_pairs(perceptual: np.ndarray, thumbnails: np.ndarray, *, distance: int) -> NearPairs:
    """Find all pairs whose hashes differ in few bits and whose thumbnails correlate.

    Flat pictures (see :data:`FLAT`) are left out: their hash says nothing.

    Parameters
    ----------
    perceptual : numpy.ndarray
        ``(N,)`` uint64 hashes.
    thumbnails : numpy.ndarray
        ``(N, D)`` uint8 grey thumbnails.
    distance : int
        Largest number of differing bits, from 0 on; the cost grows quickly with it.

    Returns
    -------
    NearPairs
    """
    if perceptual.shape != thumbnails.shape[:1] or distance < 0:
        raise ValueError("one thumbnail a hash and a distance of at least 0 are needed")
    judged = np.flatnonzero(_contrast(thumbnails) >= FLAT)
    hashes = perceptual[judged]
    candidates, complete = [np.zeros((0, 2), np.int64)], True
    for mask in _block_masks(distance):
        pairs, all_compared = _pairs_with_equal_key(hashes, hashes & mask)
        close = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]) <= distance
        candidates.append(judged[np.sort(pairs[close], axis=1)])
        complete &= all_compared
    pairs = np.unique(np.concatenate(candidates), axis=0)
    pairs = pairs[_correlate(thumbnails, pairs) >= LEAST_CORRELATION]
    bits = np.bitwise_count(perceptual[pairs[:, 0]] ^ perceptual[pairs[:, 1]])
    return NearPairs(pairs[:, 0], pairs[:, 1], bits.astype(np.int64), complete)


def _block_masks(distance: int) -> list[np.uint64]:
    blocks = distance + _EQUAL_BLOCKS
    edges = [_HASH_BITS * block // blocks for block in range(blocks + 1)]
    masks = [(1 << high) - (1 << low) for low, high in pairwise(edges)]
    return [np.uint64(sum(chosen)) for chosen in combinations(masks, _EQUAL_BLOCKS)]


def _pairs_with_equal_key(hashes: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, bool]:
    order = np.lexsort((hashes, keys))
    sorted_keys = keys[order]
    found = [np.zeros((0, 2), np.int64)]
    # In sorted order, a row that has no equal key k places on has none k + 1 places on.
    active = np.arange(len(keys))
    for offset in range(1, LARGEST_BUCKET + 1):
        active = active[active + offset < len(keys)]
        active = active[sorted_keys[active] == sorted_keys[active + offset]]
        if not len(active):
            return np.concatenate(found), True
        found.append(np.stack([order[active], order[active + offset]], axis=1))
    return np.concatenate(found), False


def _contrast(thumbnails: np.ndarray) -> np.ndarray:
    contrast = np.zeros(len(thumbnails))
    for part in _parts(len(thumbnails)):
        contrast[part] = thumbnails[part].std(axis=1)
    return contrast


def _correlate(thumbnails: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    correlation = np.zeros(len(pairs))
    for part in _parts(len(pairs)):
        first, second = (_standardise(thumbnails[pairs[part, side]]) for side in (0, 1))
        correlation[part] = (first * second).mean(axis=1)
    return correlation


def _parts(rows: int, at_once: int = 65536) -> list[slice]:
    # Thumbnails grow eightfold as floats, so only some are floats at a time.
    return [slice(start, start + at_once) for start in range(0, rows, at_once)]


def _standardise(thumbnails: np.ndarray) -> np.ndarray:
    values = thumbnails.astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    return np.asarray(values / values.std(axis=1, keepdims=True))
