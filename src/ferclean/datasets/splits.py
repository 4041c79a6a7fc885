"""Hold out a validation split where the source has none."""

from __future__ import annotations

import numpy as np


def hold_out(labels: np.ndarray, *, fraction: float, seed: int) -> np.ndarray:
    """Draw a stratified share of rows.

    Parameters
    ----------
    labels : numpy.ndarray
        ``(N,)`` class codes of the rows to draw from.
    fraction : float
        Share of each class, in [0, 1), rounded to whole rows; each class keeps at least one row.
    seed : int
        Seed of the draw; with it the result depends on labels and order of the rows alone.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool, True where a row is held out.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction must be in [0, 1), found {fraction}")
    generator = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), dtype=bool)
    for code in np.unique(labels):
        rows = np.flatnonzero(labels == code)
        count = min(round(fraction * len(rows)), len(rows) - 1)
        held_out[generator.permutation(rows)[:count]] = True
    return held_out
