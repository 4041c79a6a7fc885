"""Repaired label distributions against the true distribution or the annotators' votes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr
from scipy.stats import spearmanr

from ferclean.partition.entropy import row_entropy

# A hard label puts 0 where the truth does not; without a floor KL would be infinite. The floor
# bounds one row at ln(1e6) = 13.8 nats.
KL_FLOOR = 1e-6
# A class below it is not part of a compound expression.
SMALLEST_SHARE = 1e-6


def normalise_votes(votes: ArrayLike) -> np.ndarray:
    """Turn vote counts ``(N, K)`` into shares; rows without votes or with gaps become NaN."""
    votes = np.asarray(votes, dtype=np.float64)
    total = votes.sum(axis=1, keepdims=True)
    shares = np.divide(votes, total, out=np.full(votes.shape, np.nan), where=total > 0)
    return np.asarray(shares)


def divergences(reference: ArrayLike, estimate: ArrayLike) -> dict[str, Any]:
    """Mean divergence of estimated label distributions from reference distributions.

    Parameters
    ----------
    reference, estimate : array_like
        ``(N, K)``, rows sum to 1; rows with a NaN in either are left out.

    Returns
    -------
    dict
        ``rows``; ``kl``, the mean KL(reference || estimate) in nats with the estimate floored at
        :data:`KL_FLOOR` and normalised again; ``js``, the mean Jensen-Shannon divergence in nats
        (at most ln 2). ``None`` without rows.
    """
    reference, estimate = _known(reference, estimate)
    if len(reference) == 0:
        return {"rows": 0, "kl": None, "js": None}
    floored = np.maximum(estimate, KL_FLOOR)
    floored = floored / floored.sum(axis=1, keepdims=True)
    return {
        "rows": len(reference),
        "kl": float(rel_entr(reference, floored).sum(axis=1).mean()),
        "js": float(_jensen_shannon(reference, estimate).mean()),
    }


def _jensen_shannon(reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """Return the divergence in nats; scipy's distance is NaN where rounding makes it negative."""
    middle = (reference + estimate) / 2
    halves = rel_entr(reference, middle) + rel_entr(estimate, middle)
    return np.maximum(halves.sum(axis=1) / 2, 0.0)


def agreement(reference: ArrayLike, estimate: ArrayLike, labels: ArrayLike) -> dict[str, Any]:
    """Compare labels and their distributions with a reference such as normalised votes.

    Parameters
    ----------
    reference, estimate : array_like
        ``(N, K)``; rows with a NaN in either are left out.
    labels : array_like
        ``(N,)`` class codes of the judged labels.

    Returns
    -------
    dict
        ``rows``; ``share``, the mean share of the reference that the label got;
        ``entropy_spearman``, the rank correlation of the entropies (``None`` where either is
        constant).
    """
    labels = np.asarray(labels)
    if np.shape(labels) != np.shape(reference)[:1]:
        raise ValueError(f"labels must be ({np.shape(reference)[0]},), found {labels.shape}")
    known = np.isfinite(reference).all(axis=1) & np.isfinite(estimate).all(axis=1)
    reference, estimate = _known(reference, estimate)
    if len(reference) == 0:
        return {"rows": 0, "share": None, "entropy_spearman": None}
    share = reference[np.arange(len(reference)), labels[known]]
    return {
        "rows": len(reference),
        "share": float(share.mean()),
        "entropy_spearman": rank_correlation(entropy(reference), entropy(estimate)),
    }


def two_label_agreement(reference: ArrayLike, estimate: ArrayLike) -> dict[str, Any]:
    """Compare the two most likely classes with the two of a compound expression.

    Parameters
    ----------
    reference, estimate : array_like
        ``(N, K)``, rows sum to 1; rows with a NaN in either are left out, and so are those whose
        reference has not exactly two classes above :data:`SMALLEST_SHARE`.

    Returns
    -------
    dict
        ``rows``; ``share`` of them, in [0, 1], whose two most likely classes are those of the
        reference, in either order. Where the second and the third are equally likely there are
        no two, and the row counts as a miss. ``None`` without rows.
    """
    reference, estimate = _known(reference, estimate)
    named = reference > SMALLEST_SHARE
    compound = named.sum(axis=1) == 2
    if not compound.any():
        return {"rows": 0, "share": None}
    named, estimate = named[compound], estimate[compound]
    of_named = np.where(named, estimate, np.inf).min(axis=1)
    of_others = np.where(named, -np.inf, estimate).max(axis=1)
    return {"rows": len(named), "share": float((of_named > of_others).mean())}


def entropy(distributions: ArrayLike) -> np.ndarray:
    """Shannon entropy of each row in nats: ``(N, K)`` to ``(N,)``.

    Rounded to 12 decimals, so that the same shares in another order of classes tie.
    """
    return row_entropy(distributions).round(12)


def rank_correlation(left: np.ndarray, right: np.ndarray) -> float | None:
    """Spearman's correlation of two ``(N,)`` arrays; ``None`` without two different values."""
    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    return float(spearmanr(left, right).statistic)


def _known(reference: ArrayLike, estimate: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    reference = np.asarray(reference, dtype=np.float64)
    estimate = np.asarray(estimate, dtype=np.float64)
    if reference.shape != estimate.shape or reference.ndim != 2:
        raise ValueError(f"expected two (N, K) arrays: {reference.shape}, {estimate.shape}")
    known = np.isfinite(reference).all(axis=1) & np.isfinite(estimate).all(axis=1)
    return reference[known], estimate[known]
