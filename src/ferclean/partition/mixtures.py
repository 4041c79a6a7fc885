"""Two-component mixtures over per-sample scores."""

from __future__ import annotations

import warnings
from collections.abc import Callable
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
        ``(N,)`` float32 in [0, 1]: posterior of the clean component, which is that of the smaller
        mean for :func:`fit_two_gaussians` and that of the larger one for
        :func:`ferclean.partition.beta_mixture.fit_two_betas`.
    parameters : dict
        As lists, the clean component first: ``weights``, ``means`` and ``variances`` of Gaussians,
        ``alphas``, ``betas`` and ``weights`` of Betas; of :func:`fit_per_class` a list ``classes``
        of such mappings. Empty when the scores were all equal and nothing could be fitted.
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
    scores = finite(scores)
    span = np.ptp(scores) if len(scores) else 0.0
    return (scores - scores.min()) / span if span > 0 else np.zeros_like(scores)


def fit_per_class(
    fit: Callable[[np.ndarray], MixtureFit],
    scores: np.ndarray,
    observed: np.ndarray,
    *,
    classes: int,
) -> MixtureFit:
    """Fit one mixture to the rows of each observed class (IntraClass-divide's idea).

    Where classes are of different size or difficulty one mixture over all rows calls the rare
    and the hard ones wrong as a whole.

    Parameters
    ----------
    fit : callable
        From the scores of some rows to their mixture.
    scores : numpy.ndarray
        ``(N,)``.
    observed : numpy.ndarray
        ``(N,)`` int64 in ``[0, classes)``.
    classes : int
        K.

    Returns
    -------
    MixtureFit
        Each row's posterior in its class's mixture; the parameters hold a list ``classes`` of
        K mixtures. A class whose rows all have one score (or that has no row) has empty
        parameters, and its rows are called clean.

    Raises
    ------
    ValueError
        As for one mixture, and if the lengths differ.
    """
    scores = finite(scores)
    if len(scores) != len(observed):
        raise ValueError(f"{len(scores)} scores for {len(observed)} labels")
    clean, parameters = np.ones(len(scores), dtype=np.float32), []
    ends = np.cumsum(np.bincount(observed, minlength=classes))[:-1]
    for rows in np.split(np.argsort(observed, kind="stable"), ends):
        found = fit(scores[rows])
        clean[rows] = found.clean_probability
        parameters.append(found.parameters)
    return MixtureFit(clean, {"classes": parameters})


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
    scores = finite(scores)
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


def finite(scores: np.ndarray) -> np.ndarray:
    """Return scores as float64.

    Raises
    ------
    ValueError
        If one is NaN or infinite.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{int((~np.isfinite(values)).sum())} of {len(values)} scores not finite")
    return values
