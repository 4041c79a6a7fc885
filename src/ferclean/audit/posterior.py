"""What the label should be, given prediction, given label and the kind of noise."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ferclean.audit.disagreement import Disagreement
from ferclean.relabel.sharpen import sharpen

# Share of the disagreement that flips do not explain and that is yet counted as wrong labels.
UNEXPLAINED_SHARE = 0.2
# Calibrated to noisy labels, predictions are less sure of the truth than they could be.
_TRUTH_TEMPERATURE = 0.4
# Rows' worth of the mean transitions that each class's own are mixed with: a class that is hardly
# ever predicted is taken to be labelled about as well as the others.
_PRIOR_ROWS = 5.0
# Belief that a disagreeing label is wrong whatever the transitions say: from the first, where
# labels were flipped, to the second, where people erred, as a logistic function of steepness.
# All constants of this module: benchmarks/audit_suite.py, and P1's training rows at 40 % flips.
_BELIEF = (0.05, 0.4)
_BELIEF_CENTRE, _BELIEF_WIDTH = 0.4, 0.2


def transition_matrix(
    found: Disagreement, unexplained_share: float = UNEXPLAINED_SHARE
) -> np.ndarray:
    """Estimate how given labels arise from true ones.

    Parameters
    ----------
    found : Disagreement
    unexplained_share : float
        Of the disagreement that flips do not explain, what counts as wrong labels, in [0, 1].

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64, true by given class, rows sum to 1.
    """
    wrong = found.flips + unexplained_share * (found.disagreeing - found.flips)
    right = np.maximum(found.counts.sum(axis=1) - wrong.sum(axis=1), 0.0)
    matrix = wrong + np.diag(right) + _PRIOR_ROWS * _mean_transitions(wrong, right)
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def _mean_transitions(wrong: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return transitions that are the same for all classes, ``(K, K)``; half a row's worth even."""
    classes, rows = len(right), wrong.sum() + right.sum()
    rate = (wrong.sum() + 0.5 * (classes - 1) / classes) / (rows + 0.5)
    mean = np.full((classes, classes), rate / (classes - 1))
    np.fill_diagonal(mean, 1.0 - rate)
    return mean


def belief_in_predictions(found: Disagreement) -> float:
    """Return how far a prediction is believed against a label for disagreeing alone, in [0, 1].

    Flipped labels are told by the transitions; people's errors are no matter of class only, they
    sit where the picture is hard, and there the prediction is the better guess.
    """
    least, most = _BELIEF
    share = expit((found.steepness - _BELIEF_CENTRE) / _BELIEF_WIDTH)
    return least + (most - least) * float(share)


def label_posterior(
    probabilities: np.ndarray,
    labels: np.ndarray,
    found: Disagreement,
    *,
    unexplained_share: float = UNEXPLAINED_SHARE,
    belief: float | None = None,
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
        Of these probabilities and labels, or of more of the same kind.
    unexplained_share : float
        See :func:`transition_matrix`.
    belief : float, optional
        That share; by default :func:`belief_in_predictions`.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.
    """
    posterior = sharpen(probabilities.astype(np.float32), _TRUTH_TEMPERATURE)
    posterior *= transition_matrix(found, unexplained_share).astype(np.float32).T[labels]
    posterior /= posterior.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    differs = np.flatnonzero(predicted != labels)
    share = np.float32(belief_in_predictions(found) if belief is None else belief)
    posterior[differs] *= 1.0 - share
    posterior[differs, predicted[differs]] += share
    return posterior


def noise_rate_bounds(
    probabilities: np.ndarray, labels: np.ndarray, found: Disagreement
) -> tuple[float, float]:
    """Return the noise rate if nothing, and if all, but flips are people's errors.

    Sampling errors are small beside what probabilities alone cannot tell: whether a doubtful
    picture's label is an error or the model's prediction is.

    Parameters
    ----------
    probabilities, labels, found
        As :func:`label_posterior` takes them, at least one row.

    Returns
    -------
    tuple of float
        In [0, 1], the smaller one first.
    """
    rows, bounds = np.arange(len(labels)), []
    for unexplained_share, belief in ((0.0, 0.0), (1.0, _BELIEF[1])):
        posterior = label_posterior(
            probabilities, labels, found, unexplained_share=unexplained_share, belief=belief
        )
        bounds.append(1.0 - float(posterior[rows, labels].mean(dtype=np.float64)))
    return min(bounds), max(bounds)
