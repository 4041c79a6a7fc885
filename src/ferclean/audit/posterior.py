"""What the label should be, given prediction, given label and the kind of noise."""

from __future__ import annotations

import numpy as np

from ferclean.audit.disagreement import Disagreement
from ferclean.relabel.sharpen import sharpen

# Share of the disagreement that flips do not explain and that is yet counted as wrong labels.
_UNEXPLAINED_SHARE = 0.2
# Calibrated to noisy labels, predictions are less sure of the truth than they could be.
_TRUTH_TEMPERATURE = 0.5
# Rows' worth of transitions to any class.
_PRIOR_ROWS = 0.5
# Belief that a disagreeing label is wrong whatever the transitions say: from the first, where
# labels were flipped, to the second, where people erred, as a logistic function of steepness.
# All constants of this module: benchmarks/audit_suite.py.
_BELIEF = (0.15, 0.4)
_BELIEF_CENTRE, _BELIEF_WIDTH = 0.6, 0.2


def transition_matrix(found: Disagreement) -> np.ndarray:
    """Estimate how given labels arise from true ones.

    Parameters
    ----------
    found : Disagreement

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64, true by given class, rows sum to 1.
    """
    wrong = found.flips + _UNEXPLAINED_SHARE * (found.disagreeing - found.flips)
    right = np.maximum(found.counts.sum(axis=1) - wrong.sum(axis=1), 0.0)
    matrix = wrong + np.diag(right) + _PRIOR_ROWS / len(wrong)
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def belief_in_predictions(found: Disagreement) -> float:
    """Return how far a prediction is believed against a label for disagreeing alone, in [0, 1].

    Flipped labels are told by the transitions; people's errors are no matter of class only, they
    sit where the picture is hard, and there the prediction is the better guess.
    """
    least, most = _BELIEF
    exponent = -(found.steepness - _BELIEF_CENTRE) / _BELIEF_WIDTH
    return least + (most - least) / (1.0 + float(np.exp(exponent)))


def label_posterior(
    probabilities: np.ndarray, labels: np.ndarray, found: Disagreement
) -> np.ndarray:
    """Return how likely each class is the true one of each row.

    ``P(k | x, y) ~ q_k T_ky`` with the sharpened prediction q and the transitions T; where the
    prediction disagrees with the label, a share of it goes to the predicted class.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)`` calibrated, rows sum to 1.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``.
    found : Disagreement
        Of these probabilities and labels.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.
    """
    posterior = sharpen(probabilities.astype(np.float32), _TRUTH_TEMPERATURE)
    posterior *= transition_matrix(found).astype(np.float32).T[labels]
    posterior /= posterior.sum(axis=1, keepdims=True)
    differs = np.flatnonzero(found.predicted != labels)
    belief = np.float32(belief_in_predictions(found))
    posterior[differs] *= 1.0 - belief
    posterior[differs, found.predicted[differs]] += belief
    return posterior
