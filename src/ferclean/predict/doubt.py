"""How sure a prediction is: what the method itself tells, or what any networks let one see."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ferclean.partition.entropy import mutual_information, row_entropy


def doubts(
    members: np.ndarray, prediction: np.ndarray, own: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the doubts of every prediction, by name.

    Parameters
    ----------
    members : numpy.ndarray
        ``(M, N, K)`` softmax of each network.
    prediction : numpy.ndarray
        ``(N, K)`` what they say together.
    own : mapping of str to numpy.ndarray
        ``(N,)`` each, what the method knows of its doubt.

    Returns
    -------
    dict of str to numpy.ndarray
        ``(N,)`` float64. Where the method tells apart ``aleatoric`` and ``epistemic`` doubt,
        what it says. Otherwise ``entropy`` of the prediction in nats; of several networks
        ``disagreement``, the entropy of their mean above the mean of their entropies (the mutual
        information of prediction and network); and what the method says besides.
    """
    told = {name: values.astype(np.float64) for name, values in own.items()}
    if {"aleatoric", "epistemic"} <= set(told):
        return told
    found = {"entropy": row_entropy(prediction)}
    if len(members) > 1:
        shared = row_entropy(members.mean(axis=0, dtype=np.float64))
        found["disagreement"] = mutual_information(shared, row_entropy(members))
    return {**found, **told}
