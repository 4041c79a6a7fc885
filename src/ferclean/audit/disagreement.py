"""Where predictions and given labels disagree, and what that says about the kind of noise.

Two observations carry the audit. Labels that were flipped whatever the picture shows disagree
with *sure* predictions as often as with unsure ones: among the surest rows of a predicted class,
where the model itself hardly errs, the share that disagrees is the share of flips. And labels
that people got wrong are those of pictures that are hard: among the surest rows hardly any
disagrees, and the share rises at once and steadily as sureness falls. The table of flips follows
from the first, the steepness of the rise tells which of the two is met.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

# Share of each predicted class's rows whose disagreement is taken for flips.
_SURE = 0.3
# Rows' worth of the overall rate that each class's own rates are mixed with.
_PRIOR_ROWS = 5.0
# Ends of the parts of the curve, as shares of a predicted class's rows from sure to unsure.
_CURVE = (0.0, 0.15, 0.3, 0.5, 0.75, 1.0)
# So that steepness stays finite where the surest rows all agree.
_SMALLEST_RATE = 0.01


@dataclass(frozen=True)
class Disagreement:
    """How predictions and given labels of N rows over K classes disagree.

    Attributes
    ----------
    predicted : numpy.ndarray
        ``(N,)`` int64, the most likely class.
    counts : numpy.ndarray
        ``(K, K)`` float64: rows by predicted and given class.
    flips : numpy.ndarray
        ``(K, K)`` float64, 0 on the diagonal and at most `counts`: those that flips explain.
    curve : numpy.ndarray
        ``(5,)`` float64: share of disagreement, from the surest to the least sure rows.
    """

    predicted: np.ndarray
    counts: np.ndarray
    flips: np.ndarray
    curve: np.ndarray

    @property
    def disagreeing(self) -> np.ndarray:
        """`counts` without the diagonal."""
        return self.counts - np.diag(np.diag(self.counts))

    @property
    def steepness(self) -> float:
        """Log ratio of disagreement among middling and among the surest rows.

        About 0 where labels were flipped at random or by class, about 0.8 where people erred.
        """
        low, middle = self.curve[0] + _SMALLEST_RATE, self.curve[2] + _SMALLEST_RATE
        return float(np.log(middle / low))


def compare(probabilities: np.ndarray, labels: np.ndarray) -> Disagreement:
    """Compare calibrated predictions with the given labels.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)``, rows sum to 1, K at least 2.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``.

    Returns
    -------
    Disagreement
    """
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    place = _place_within_class(predicted, _lead(probabilities))
    differs = predicted != labels
    counts = _count(predicted, labels, classes)
    sure = place < _SURE
    return Disagreement(
        predicted=predicted,
        counts=counts,
        flips=_flips(counts, _count(predicted[sure], labels[sure], classes)),
        curve=np.array(
            [
                _rate(differs[(place >= first) & (place < last)])
                for first, last in itertools.pairwise(_CURVE)
            ]
        ),
    )


def _lead(probabilities: np.ndarray) -> np.ndarray:
    """Return how far the most likely class is ahead of the next, ``(N,)``."""
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def _place_within_class(predicted: np.ndarray, lead: np.ndarray) -> np.ndarray:
    """Return each row's place from 0 (sure) to 1 among the rows of its predicted class."""
    order = np.lexsort((-lead, predicted))
    sizes = np.bincount(predicted)
    starts = np.cumsum(sizes) - sizes
    place = np.empty(len(predicted))
    own = predicted[order]
    place[order] = (np.arange(len(own)) - starts[own] + 0.5) / sizes[own]
    return place


def _count(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    pairs = np.bincount(predicted * classes + labels, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.float64)


def _rate(differs: np.ndarray) -> float:
    return float(differs.mean()) if len(differs) else 0.0


def _flips(counts: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Extend the rates of the sure rows to all rows of the predicted class."""
    classes, rows = len(counts), sure.sum()
    rate = 1.0 - np.trace(sure) / rows if rows else 0.0
    prior = np.full((classes, classes), rate / (classes - 1))
    np.fill_diagonal(prior, 1.0 - rate)
    of_class = sure.sum(axis=1, keepdims=True) + _PRIOR_ROWS
    shares = (sure + _PRIOR_ROWS * prior) / of_class
    flips = np.minimum(counts, counts.sum(axis=1, keepdims=True) * shares)
    np.fill_diagonal(flips, 0.0)
    return flips
