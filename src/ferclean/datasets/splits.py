"""Hold out a validation split where the source has none."""

from __future__ import annotations

import numpy as np


def hold_out(
    labels: np.ndarray, *, fraction: float, seed: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """Draw a stratified share of rows.

    Parameters
    ----------
    labels : numpy.ndarray
        ``(N,)`` class codes of the rows to draw from.
    fraction : float
        Share of each class, in [0, 1), rounded to whole rows; each class keeps at least one row.
    seed : int
        Seed of the draw; with it the result depends on labels and order of the rows alone.
    groups : numpy.ndarray, optional
        ``(N,)`` group of each row, any values: the rows of a group are held out together or not at
        all. A class may then give less than its share, never more.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool, True where a row is held out.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction must be in [0, 1), found {fraction}")
    generator = np.random.default_rng(seed)
    if groups is not None:
        return _hold_out_groups(labels, groups, fraction, generator)
    held_out = np.zeros(len(labels), dtype=bool)
    for code in np.unique(labels):
        rows = np.flatnonzero(labels == code)
        held_out[generator.permutation(rows)[: _share(len(rows), fraction)]] = True
    return held_out


def _share(rows: int, fraction: float) -> int:
    return min(round(fraction * rows), rows - 1)


def _hold_out_groups(
    labels: np.ndarray, groups: np.ndarray, fraction: float, generator: np.random.Generator
) -> np.ndarray:
    """Take groups in random order, each one that fits into what its classes may still give."""
    names, group = np.unique(groups, return_inverse=True)
    codes, label = np.unique(labels, return_inverse=True)
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=len(names)))
    left = np.array([_share(count, fraction) for count in np.bincount(label)], dtype=np.int64)
    held_out = np.zeros(len(labels), dtype=bool)
    for number in generator.permutation(len(names)):
        rows = order[ends[number - 1] if number else 0 : ends[number]]
        wanted = np.bincount(label[rows], minlength=len(codes))
        if (wanted <= left).all():
            held_out[rows] = True
            left -= wanted
        if not left.any():
            break
    return held_out
