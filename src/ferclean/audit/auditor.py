"""The audit of given labels by the probabilities of models that did not see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ferclean.audit.calibration import calibrated_mean
from ferclean.audit.cut_off import expected_f1_cut_off
from ferclean.audit.disagreement import Disagreement, compare
from ferclean.audit.posterior import label_posterior, noise_rate_bounds, transition_matrix

# A row of probabilities may miss a sum of 1 by this much: 16-bit floats, or two decimals in a file.
_SUM_TOLERANCE = 2e-2
# The bounds of the noise rate are means: more rows change their third digit only.
_MOST_ROWS_FOR_BOUNDS = 50_000


@dataclass(frozen=True)
class Audit:
    """What is believed of N labels over K classes.

    Attributes
    ----------
    label_quality : numpy.ndarray
        ``(N,)`` float32 in [0, 1]: that the given label is right.
    is_wrong : numpy.ndarray
        ``(N,)`` bool: quality lies at or below the cut-off.
    posterior : numpy.ndarray
        ``(N, K)`` float32: how likely each class is the true one; rows sum to 1.
    suggested_label : numpy.ndarray
        ``(N,)`` int64: the most likely class, the given label where it ties with others. It
        may be the given label even where that is called wrong: the cut-off weighs what is missed
        against what is called wrong in vain and lies below one half of doubt.
    predicted : numpy.ndarray
        ``(N,)`` int64: the most likely class of the calibrated prediction.
    cut_off : float
        Quality up to which a label is called wrong.
    noise_rate : float
        Estimated share of wrong labels.
    noise_rate_bounds : tuple of float
        What it would be if nothing, and if all, but flips were people's errors.
    transitions : numpy.ndarray
        ``(K, K)`` float64, true by given class, rows sum to 1.
    steepness : float
        See :class:`~ferclean.audit.disagreement.Disagreement`.
    temperatures : numpy.ndarray
        ``(M,)`` float64, with which each member was calibrated.
    """

    label_quality: np.ndarray
    is_wrong: np.ndarray
    posterior: np.ndarray
    suggested_label: np.ndarray
    predicted: np.ndarray
    cut_off: float
    noise_rate: float
    noise_rate_bounds: tuple[float, float]
    transitions: np.ndarray
    steepness: float
    temperatures: np.ndarray


def audit_labels(probabilities: np.ndarray, labels: np.ndarray) -> Audit:
    """Say of each given label how likely it is right, and which are wrong.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)``, or ``(M, N, K)`` of an ensemble, of models that were not trained on the row
        they judge (out of fold); rows sum to 1, K is at least 2.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``.

    Returns
    -------
    Audit

    Raises
    ------
    ValueError
        If shapes do not fit, a value is out of range or not finite, or rows do not sum to 1.
    """
    members, labels = _checked(probabilities, labels)
    calibrated, temperatures = calibrated_mean(members, labels)
    found = compare(calibrated, labels)
    posterior = label_posterior(calibrated, labels, found)
    rows = np.arange(len(labels))
    quality = posterior[rows, labels]
    doubt = 1.0 - quality
    called = doubt >= expected_f1_cut_off(doubt)
    # A quality that occurs: by one minus the doubt, rounding could part a row from its equals.
    cut_off = float(quality.max(initial=0.0, where=called))
    keeps = quality >= posterior.max(axis=1)
    return Audit(
        label_quality=quality,
        is_wrong=quality <= cut_off,
        posterior=posterior,
        suggested_label=np.where(keeps, labels, posterior.argmax(axis=1)),
        predicted=found.predicted,
        cut_off=cut_off,
        noise_rate=float(doubt.mean(dtype=np.float64)) if len(labels) else 0.0,
        noise_rate_bounds=_bounds(calibrated, labels, found),
        transitions=transition_matrix(found),
        steepness=found.steepness,
        temperatures=temperatures,
    )


def _bounds(
    probabilities: np.ndarray, labels: np.ndarray, found: Disagreement
) -> tuple[float, float]:
    if len(labels) == 0:
        return 0.0, 0.0
    rows = slice(None, None, -(-len(labels) // _MOST_ROWS_FOR_BOUNDS))
    return noise_rate_bounds(probabilities[rows], labels[rows], found)


def _checked(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(M, N, K)`` float32 and ``(N,)`` int64, or say what is wrong with them."""
    members = np.asarray(probabilities, dtype=np.float32)
    members = members[None] if members.ndim == 2 else members
    given = np.asarray(labels)
    if members.ndim != 3 or members.shape[0] < 1 or members.shape[2] < 2:
        raise ValueError(
            f"probabilities must be (N, K) or (M, N, K) with K >= 2: {np.shape(probabilities)}"
        )
    if given.ndim != 1 or len(given) != members.shape[1]:
        raise ValueError(f"{members.shape[1]} rows of probabilities, labels {given.shape}")
    if len(given) and not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"labels must be integers, found {given.dtype}")
    if len(given) and not (given.min() >= 0 and given.max() < members.shape[2]):
        raise ValueError(f"labels must lie in [0, {members.shape[2]})")
    off = ~np.all((members >= 0) & (members < np.inf), axis=2)
    if off.any():
        raise ValueError(
            f"probabilities must be finite and at least 0, but {_place(off)} holds others"
        )
    sums = members.sum(axis=2)
    off = np.abs(sums - 1.0) > _SUM_TOLERANCE
    if off.any():
        raise ValueError(
            "every row of probabilities must sum to 1, "
            f"but {_place(off)} sums to {sums[off][0]:.4g}"
        )
    return members / sums[..., None], given.astype(np.int64)


def _place(marked: np.ndarray) -> str:
    """Say where the first mark of ``(M, N)`` is."""
    member, row = (int(found[0]) for found in np.nonzero(marked))
    return f"row {row + 1}" + (f" of model {member + 1}" if len(marked) > 1 else "")
