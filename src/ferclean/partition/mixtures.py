"""Two-component mixtures over per-sample scores."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

# DivideMix's constants: few EM steps, and a variance floor that keeps a spike from taking all.
_MAX_ITERATIONS, _TOLERANCE, _VARIANCE_FLOOR = 10, 1e-2, 5e-4


@dataclass(frozen=True)
class MixtureFit:
    """A fitted mixture.

    Attributes
    ----------
    clean_probability : numpy.ndarray
        ``(N,)`` float32: posterior of the component with the smaller mean.
    parameters : dict
        ``weights``, ``means`` and ``variances`` as lists, the clean component first; empty
        when the scores were all equal and nothing could be fitted.
    """

    clean_probability: np.ndarray
    parameters: dict[str, Any]


def scale_to_unit(scores: np.ndarray) -> np.ndarray:
    """Map scores to [0, 1] by their minimum and maximum; equal scores become 0.

    Parameters
    ----------
    scores : numpy.ndarray
        ``(N,)`` finite.

    Raises
    ------
    ValueError
        If a score is NaN or infinite.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores not finite")
    span = np.ptp(scores) if len(scores) else 0.0
    return (scores - scores.min()) / span if span > 0 else np.zeros_like(scores)


def fit_two_gaussians(scores: np.ndarray, *, seed: int) -> MixtureFit:
    """Fit DivideMix's mixture: two Gaussians, the one with the smaller mean is clean.

    Parameters
    ----------
    scores : numpy.ndarray
        ``(N,)`` losses in [0, 1], small for rows whose label fits.
    seed : int
        Seed of the k-means start.

    Returns
    -------
    MixtureFit
        When there are fewer than two different scores no row can be told from another: all
        are called clean.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores not finite")
    if len(np.unique(scores)) < 2:
        return MixtureFit(np.ones(len(scores), dtype=np.float32), {})
    mixture = GaussianMixture(
        2,
        max_iter=_MAX_ITERATIONS,
        tol=_TOLERANCE,
        reg_covar=_VARIANCE_FLOOR,
        random_state=seed % 2**32,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten steps are the method's choice
        mixture.fit(scores[:, None])
    order = np.argsort(mixture.means_[:, 0], kind="stable")
    posterior = mixture.predict_proba(scores[:, None])[:, order[0]]
    parameters = {
        "weights": mixture.weights_[order].tolist(),
        "means": mixture.means_[order, 0].tolist(),
        "variances": mixture.covariances_[order, 0, 0].tolist(),
    }
    return MixtureFit(posterior.astype(np.float32), parameters)
