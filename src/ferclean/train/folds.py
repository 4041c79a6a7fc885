"""Cut rows into parts, so that a network can judge rows that it never saw."""

from __future__ import annotations

import numpy as np

from ferclean.train.seeds import numpy_stream


def assign_folds(observed: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal the rows out, class by class, so that all folds have the same share of each label.

    Parameters
    ----------
    observed : numpy.ndarray
        ``(N,)`` int64 labels.
    folds : int
        F, at least 1 and at most N.
    seed : int
        Decides which rows of a class go where.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64 in ``[0, F)``; sizes differ by at most 1.

    Raises
    ------
    ValueError
        If there are more folds than rows.
    """
    if not 1 <= folds <= len(observed):
        raise ValueError(f"cannot cut {len(observed)} rows into {folds} folds")
    shuffled = numpy_stream(seed, "folds").permutation(len(observed))
    by_class = shuffled[np.argsort(observed[shuffled], kind="stable")]
    fold = np.empty(len(observed), dtype=np.int64)
    fold[by_class] = np.arange(len(observed)) % folds
    return fold
