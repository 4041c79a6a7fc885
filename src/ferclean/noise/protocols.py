"""Label noise that looks at labels only: codes in, codes out.

A code of -1 is a missing label; it stays missing. Every draw is made for every row, whatever its
label, so one row's noise depends on the row's position and not on the labels of other rows
(the inclusive protocol, which counts rows, excepted).
"""

from __future__ import annotations

import math

import numpy as np


def symmetric(
    codes: np.ndarray, class_count: int, *, rate: float, generator: np.random.Generator
) -> np.ndarray:
    """Replace each label with chance `rate` by one of the *other* classes, all equally likely.

    The self-excluded, per-sample Bernoulli protocol of SCN and LA-Net: the expected share of
    changed labels is `rate` itself.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(N,)`` integers in ``[-1, class_count)``.
    class_count : int
        Number of classes, at least 2 if `rate` is above 0.
    rate : float
        In ``[0, 1]``.
    generator : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64.

    Raises
    ------
    ValueError
        For codes or a rate out of range, or a single class.
    """
    codes = checked_codes(codes, class_count, rate)
    flips = generator.random(len(codes)) < rate
    offsets = generator.integers(1, max(class_count, 2), len(codes))
    return np.where(flips & (codes >= 0), (codes + offsets) % class_count, codes)


def symmetric_inclusive(
    codes: np.ndarray, class_count: int, *, rate: float, generator: np.random.Generator
) -> np.ndarray:
    """Redraw the labels of exactly ``floor(rate * N)`` rows over *all* classes.

    The protocol of DivideMix, SMR and UNICON: a redrawn label may be the old one, so the
    expected share of changed labels is ``rate * (K - 1) / K``. Rows without a label do not
    count. Parameters and errors are those of :func:`symmetric`.
    """
    codes = checked_codes(codes, class_count, rate)
    order = generator.permutation(np.flatnonzero(codes >= 0))
    # 0.29 * 100 is 28.999...: without the hair's breadth the count would fall short by one.
    chosen = order[: math.floor(rate * len(order) + 1e-9)]
    observed = codes.copy()
    observed[chosen] = generator.integers(0, class_count, len(chosen))
    return observed


def class_conditional(
    codes: np.ndarray, targets: np.ndarray, *, rate: float, generator: np.random.Generator
) -> np.ndarray:
    """Send each label with chance `rate` to its class's target.

    The rate holds for the classes that have another class as target; over all rows it is
    lower: "40 % asymmetric" on CIFAR-10 changes about 20 % of the labels.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(N,)`` integers in ``[-1, K)``.
    targets : numpy.ndarray
        ``(K,)`` integers; ``targets[k] == k`` leaves class k alone.
    rate : float
        In ``[0, 1]``.
    generator : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64.
    """
    targets = np.asarray(targets, dtype=np.int64)
    codes = checked_codes(codes, len(targets), 0.0)
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be in [0, 1], found {rate}")
    if len(targets) and (targets.min() < 0 or targets.max() >= len(targets)):
        raise ValueError("every target must be one of the classes")
    flips = (generator.random(len(codes)) < rate) & (codes >= 0)
    return np.where(flips, targets[codes], codes)


def pairflip_targets(class_count: int) -> np.ndarray:
    """Return the targets of pairflip noise: class k goes to ``k + 1 mod K``; ``(K,)`` int64."""
    return (np.arange(class_count, dtype=np.int64) + 1) % class_count


def checked_codes(codes: np.ndarray, class_count: int, rate: float) -> np.ndarray:
    """Return `codes` as int64 after checking them, the rate and the number of classes."""
    codes = np.asarray(codes)
    if codes.ndim != 1 or not np.issubdtype(codes.dtype, np.integer):
        raise ValueError(f"codes must be (N,) integers, found {codes.shape} {codes.dtype}")
    if len(codes) and (codes.min() < -1 or codes.max() >= class_count):
        raise ValueError(f"codes must lie in [-1, {class_count})")
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be in [0, 1], found {rate}")
    if class_count < 1 or (class_count < 2 and rate > 0):
        raise ValueError("noise needs at least two classes")
    return codes.astype(np.int64)
