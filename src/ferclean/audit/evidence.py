"""What speaks for and against each given label: columns beside the verdict."""

from __future__ import annotations

import numpy as np

from ferclean.audit.neighbours import Neighbourhood
from ferclean.partition.entropy import mutual_information, row_entropy
from ferclean.partition.scores import margin_score, similarity_score


def model_evidence(members: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Describe each row by what the models say of it.

    Parameters
    ----------
    members : numpy.ndarray
        ``(M, N, K)``, rows sum to 1.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``.

    Returns
    -------
    dict of str to numpy.ndarray
        ``(N,)`` float32 each. Of the members' mean: ``given_probability``; ``margin`` of the
        given class before the best other one, in [-1, 1]; ``similarity``, the cosine of
        prediction and label (ReSup). ``aleatoric_entropy``, the mean of the members' entropies
        in nats, and, of several members, ``disagreement``, what the entropy of their mean is
        above it (the mutual information of prediction and member).
    """
    mean = members.mean(axis=0, dtype=np.float64)
    entropies = np.stack([row_entropy(each) for each in members])
    found = {
        "given_probability": mean[np.arange(len(labels)), labels],
        "margin": margin_score(mean, labels),
        "similarity": similarity_score(mean, labels),
        "aleatoric_entropy": entropies.mean(axis=0),
    }
    if len(members) > 1:
        found["disagreement"] = mutual_information(row_entropy(mean), entropies)
    return {name: values.astype(np.float32) for name, values in found.items()}


def neighbour_evidence(around: Neighbourhood, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Describe each row by its neighbours in feature space.

    Returns
    -------
    dict of str to numpy.ndarray
        ``neighbour_agreement``, the neighbours' votes for the given class in [0, 1], and
        ``neighbour_distance`` in [0, 1], ``(N,)`` float32 each.
    """
    return {
        "neighbour_agreement": around.votes[np.arange(len(labels)), labels],
        "neighbour_distance": around.distance,
    }
