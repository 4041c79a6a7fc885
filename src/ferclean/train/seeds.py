"""Random streams that depend on what they are for, not on what ran before.

Every epoch of every purpose has its own seed, derived from the run's seed and names. No random
state has to be carried from process to process: epoch 7 draws the same numbers whether it is
the third epoch of a round, the first after a restart, or part of one long round.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch


def derive_seed(seed: int, *names: str | int) -> int:
    """Hash a run's seed and a purpose into a seed of 63 bits.

    Parameters
    ----------
    seed : int
        The run's seed, at least 0.
    *names : str or int
        What the stream is for, for example ``"augment", 0, epoch``. Integers must be >= 0.

    Returns
    -------
    int
        In ``[0, 2**63)``; independent for different names (NumPy's ``SeedSequence``).
    """
    words = [zlib.crc32(n.encode()) if isinstance(n, str) else n for n in names]
    state = np.random.SeedSequence([seed, *words]).generate_state(1, np.uint64)[0]
    return int(state >> np.uint64(1))


def numpy_stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator for one purpose; see :func:`derive_seed`."""
    return np.random.default_rng(derive_seed(seed, *names))


def torch_stream(device: torch.device, seed: int, *names: str | int) -> torch.Generator:
    """Return a torch generator on `device` for one purpose; see :func:`derive_seed`."""
    return torch.Generator(device=device).manual_seed(derive_seed(seed, *names))
