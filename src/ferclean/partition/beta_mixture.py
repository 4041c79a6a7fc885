"""Two-component Beta mixtures over similarities in [0, 1] (Arazo et al., ICML 2019; ReSup).

M-correction fits them to losses; ReSup to similarities, where the component with the larger mean
is the clean one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import betaln, expit

from ferclean.partition.mixtures import MixtureFit, finite

# Constants of the authors' code (M-correction's BetaMixture1D, which ReSup copies).
_ALPHAS, _BETAS, _WEIGHTS = (1.0, 2.0), (2.0, 1.0), (0.5, 0.5)
_ITERATIONS, _FLOOR = 10, 1e-12
_GRID_POINTS = 100
# Ours: below this variance the moments' shape parameters run off to infinity.
_LEAST_VARIANCE = 1e-6


def fit_two_betas(scores: np.ndarray, *, clip: float = 1e-4) -> MixtureFit:
    """Fit a mixture of two Beta distributions; the one with the larger mean is clean.

    Ten EM steps from alpha = (1, 2), beta = (2, 1) and equal weights, on clipped scores. E:
    ``r_j = w_j Beta(x | a_j, b_j)``, at least 1e-12, normalised. M, by moments:
    ``m = sum r x / sum r``, ``v = sum r (x - m)^2 / sum r``, ``a = m (m (1 - m) / v - 1)``,
    ``b = a (1 - m) / m``, ``w = mean r``.

    Parameters
    ----------
    scores : numpy.ndarray
        ``(N,)`` in [0, 1], large for rows whose label fits.
    clip : float
        Scores are fitted within [clip, 1 - clip]: 1e-4 in M-correction, 1e-3 in ReSup. From
        1e-5, below 0.5.

    Returns
    -------
    MixtureFit
        :func:`clean_posterior` of the scores, and the parameters ``alphas``, ``betas`` and
        ``weights`` as lists, the clean component first. When there are fewer than two
        different scores no row can be told from another: all are called clean and there are
        no parameters.

    Raises
    ------
    ValueError
        If a score is not finite or outside of [0, 1].
    """
    scores = _checked(scores)
    clipped = np.clip(scores, clip, 1.0 - clip)
    if len(clipped) == 0 or np.ptp(clipped) == 0:
        return MixtureFit(np.ones(len(scores), dtype=np.float32), {})
    parameters = _clean_first(*_expectation_maximisation(clipped))
    return MixtureFit(clean_posterior(scores, parameters).astype(np.float32), parameters)


def clean_posterior(scores: np.ndarray, parameters: Mapping[str, Sequence[float]]) -> np.ndarray:
    """Return the posterior of the clean component, made to rise with the score.

    The logarithm of ``Beta(x | a_1, b_1) / Beta(x | a_0, b_0)`` has one turning point at most,
    at ``da / (da + db)``. Where that is a peak, scores right of it take its value: the source's
    ``lookup[argmax:] = max``, without the grid. Where it is a valley, scores left of it take its
    value; that guard is ours: in the source the posterior rises again towards 0.

    Parameters
    ----------
    scores : numpy.ndarray
        In [0, 1], any shape.
    parameters : mapping
        ``alphas``, ``betas``, ``weights`` as :func:`fit_two_betas` gives them; when empty, all
        are clean.

    Returns
    -------
    numpy.ndarray
        float64 in [0, 1], of the shape of `scores`.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if not parameters:
        return np.ones_like(scores)
    (clean_a, noisy_a), (clean_b, noisy_b) = parameters["alphas"], parameters["betas"]
    rise, fall = clean_a - noisy_a, clean_b - noisy_b
    # 1e-12 keeps the ends finite, as the source's grid does.
    places = np.clip(scores, _FLOOR, 1.0 - _FLOOR)
    if rise > 0 and fall > 0:
        places = np.minimum(places, rise / (rise + fall))
    elif rise < 0 and fall < 0:
        places = np.maximum(places, rise / (rise + fall))
    logs = np.log(places), np.log1p(-places)
    clean, noisy = (
        _log_density(logs, *component)
        for component in zip(
            parameters["alphas"], parameters["betas"], parameters["weights"], strict=True
        )
    )
    return np.asarray(expit(clean - noisy))


def posterior_tables(parameters: Mapping[str, Any]) -> np.ndarray:
    """Tabulate the clean posterior at 100 points, as the source looks it up in training.

    Entry i, the posterior at ``i / 99``, stands for scores in ``[i / 100, (i + 1) / 100)``;
    :func:`ferclean.losses.similarity.look_up` reads it.

    Parameters
    ----------
    parameters : mapping
        Of :func:`fit_two_betas`, alone or by
        :func:`ferclean.partition.mixtures.fit_per_class`.

    Returns
    -------
    numpy.ndarray
        ``(G, 100)`` float32, rising along each row; G is 1, or K for a mixture a class.
    """
    grid = np.linspace(0.0, 1.0, _GRID_POINTS)
    mixtures = parameters.get("classes", [parameters])
    tables = np.stack([clean_posterior(grid, mixture) for mixture in mixtures])
    # One turning point at most in exact arithmetic; this takes out the last bit's noise.
    return np.maximum.accumulate(tables, axis=1).astype(np.float32)


def _checked(scores: np.ndarray) -> np.ndarray:
    scores = finite(scores)
    if len(scores) and (scores.min() < 0 or scores.max() > 1):
        raise ValueError(f"scores must lie in [0, 1]: {scores.min()} to {scores.max()}")
    return scores


def _expectation_maximisation(
    scores: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    alphas, betas, weights = (np.array(start) for start in (_ALPHAS, _BETAS, _WEIGHTS))
    logs = np.log(scores), np.log1p(-scores)
    for _ in range(_ITERATIONS):
        likelihood = [
            np.maximum(np.exp(_log_density(logs, *component)), _FLOOR)
            for component in zip(alphas, betas, weights, strict=True)
        ]
        total = likelihood[0] + likelihood[1]
        for j, values in enumerate(likelihood):
            share = values / total
            alphas[j], betas[j] = _shape_of_moments(scores, share)
            weights[j] = share.mean()
    return alphas, betas, weights


def _shape_of_moments(scores: np.ndarray, share: np.ndarray) -> tuple[float, float]:
    """Return the Beta whose mean and variance are those of the weighted scores.

    Clipping keeps the mean away from 0 and 1, and the variance below ``m (1 - m)``.
    """
    total = share.sum()
    mean = float(share @ scores / total)
    variance = max(float(share @ (scores - mean) ** 2 / total), _LEAST_VARIANCE)
    alpha = mean * (mean * (1.0 - mean) / variance - 1.0)
    return alpha, alpha * (1.0 - mean) / mean


def _log_density(
    logs: tuple[np.ndarray, np.ndarray], alpha: float, beta: float, weight: float
) -> np.ndarray:
    """Return ``log(w Beta(x | a, b))`` from ``log x`` and ``log(1 - x)``."""
    constant = np.log(weight) - betaln(alpha, beta)
    return np.asarray((alpha - 1.0) * logs[0] + (beta - 1.0) * logs[1] + constant)


def _clean_first(alphas: np.ndarray, betas: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    """Order the components by their means ``a / (a + b)``: EM may swap them."""
    order = np.argsort(-alphas / (alphas + betas), kind="stable")
    return {
        "alphas": alphas[order].tolist(),
        "betas": betas[order].tolist(),
        "weights": weights[order].tolist(),
    }
