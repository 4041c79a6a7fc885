"""From a label distribution to a decision a person can follow: label, action and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ferclean.tables.labels import ACTIONS


@dataclass(frozen=True)
class Relabelling:
    """The current label of N training rows over K classes.

    Attributes
    ----------
    distribution : numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.
    clean_probability : numpy.ndarray
        ``(N,)`` float32 in [0, 1]: that the observed label is right.
    label : numpy.ndarray
        ``(N,)`` int64, the hard label.
    weight : numpy.ndarray
        ``(N,)`` float32 >= 0, the row's weight in training.
    action : numpy.ndarray
        ``(N,)`` text: ``keep``, ``relabel``, ``soften`` or ``drop``.
    reason : numpy.ndarray
        ``(N,)`` text, why.
    """

    distribution: np.ndarray
    clean_probability: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    action: np.ndarray
    reason: np.ndarray


def decide(
    distribution: np.ndarray,
    observed: np.ndarray,
    clean_probability: np.ndarray,
    *,
    threshold: float,
    reasons: Sequence[str],
) -> Relabelling:
    """Name the action that a new label distribution amounts to.

    A row whose most likely class is not the observed one is relabelled; of the others, those
    with a clean probability above the threshold are kept and the rest softened (same label,
    less sure). Ties go to the observed label.

    Parameters
    ----------
    distribution : numpy.ndarray
        ``(N, K)``, rows sum to 1.
    observed : numpy.ndarray
        ``(N,)`` int64 observed labels.
    clean_probability : numpy.ndarray
        ``(N,)`` in [0, 1].
    threshold : float
        In [0, 1].
    reasons : sequence of str
        The texts for keep, relabel and soften.

    Returns
    -------
    Relabelling
        With weight 1 for every row.
    """
    if distribution.shape[0] != len(observed) or len(observed) != len(clean_probability):
        raise ValueError("distribution, observed and clean_probability must have equal length")
    rows = np.arange(len(observed))
    at_observed = distribution[rows, observed] >= distribution.max(axis=1, initial=0.0)
    label = np.where(at_observed, observed, distribution.argmax(axis=1))
    kept = at_observed & (clean_probability > threshold)
    choice = np.select([kept, ~at_observed], [0, 1], default=2)
    return Relabelling(
        distribution=distribution.astype(np.float32),
        clean_probability=clean_probability.astype(np.float32),
        label=label.astype(np.int64),
        weight=np.ones(len(observed), dtype=np.float32),
        action=np.array(ACTIONS)[choice],
        reason=np.array(list(reasons))[choice],
    )
