"""Random streams of the noise draw."""

from __future__ import annotations

import hashlib

import numpy as np


def noise_seed(*, seed: int, kind: str, rate: float, stream: str) -> np.random.SeedSequence:
    """Return the seed of one stream of a noise draw.

    It depends on nothing but its arguments, so the noise of one set of labels can be drawn
    again anywhere. Streams are independent: validation rows cannot shift the training draw.

    Parameters
    ----------
    seed : int
        Non-negative.
    kind : str
        Name of the protocol.
    rate : float
        Nominal rate; 1 and 1.0 are the same.
    stream : str
        What is drawn: ``"train"``, ``"val"`` or the name of something they share.

    Returns
    -------
    numpy.random.SeedSequence
    """
    digest = hashlib.sha256(f"{kind}\n{float(rate)!r}\n{stream}".encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(int(word) for word in words))
