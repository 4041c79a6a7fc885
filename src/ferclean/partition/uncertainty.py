"""What an ensemble with noisy logits doubts: in the picture itself, or for want of training.

Valdenegro-Toro and Saromo-Mori, CVPR workshops 2022, arXiv 2204.09308; the sampling softmax is
that of Kendall and Gal, NIPS 2017, arXiv 1703.04977, equation 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ferclean.errors import unknown_name
from ferclean.partition.entropy import mutual_information, row_entropy
from ferclean.partition.vectors import row_chunks

SPLITS = ("information", "gaussian_logits")


@dataclass(frozen=True)
class Uncertainty:
    """Entropies in nats.

    Attributes
    ----------
    probabilities : numpy.ndarray
        ``(N, K)`` float32: the ensemble's expected softmax, rows sum to 1.
    aleatoric, epistemic, total : numpy.ndarray
        ``(N,)`` float32 in ``[0, log K]``; `total` is the entropy of `probabilities`.
    """

    probabilities: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray
    total: np.ndarray


def expected_softmax(
    mean: np.ndarray,
    scale: np.ndarray,
    *,
    samples: int,
    seed: int,
    chunk_values: int | None = None,
) -> np.ndarray:
    """Return ``E softmax(mu + sigma e)`` over ``e ~ N(0, I)`` by Monte Carlo.

    All rows are given the same draws: a row's result does not depend on the rows beside it,
    and neither on how they are cut into chunks.

    Parameters
    ----------
    mean, scale : numpy.ndarray
        ``(N, K)`` finite mu and sigma >= 0 (standard deviations, not variances).
    samples : int
        T, at least 1.
    seed : int
        Seed of the draws.
    chunk_values : int, optional
        About how many sampled logits are held at a time, see :func:`row_chunks`.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite or a scale is negative.
    """
    _check(mean, scale)
    classes = mean.shape[1]
    # Classes first and draws last: sums over few classes would be slow along the last axis.
    noise = standard_draws(classes, samples, seed)
    found = np.empty(mean.shape, dtype=np.float32)
    for rows in row_chunks(len(mean), classes * samples, chunk_values):
        centre, width = (values[rows].T.astype(np.float32)[..., None] for values in (mean, scale))
        power = np.exp(_below_zero(centre + width * noise))
        power /= power.sum(axis=0)
        average = power.mean(axis=2, dtype=np.float64)
        found[rows] = (average / average.sum(axis=0)).T
    return found


def standard_draws(classes: int, samples: int, seed: int) -> np.ndarray:
    """Return the draws e that every row is given, ``(K, 1, T)`` float32."""
    return np.random.default_rng(seed).standard_normal((classes, 1, samples), dtype=np.float32)


def ensemble_probabilities(
    mean: np.ndarray, scale: np.ndarray, *, split: str, samples: int, seed: int
) -> np.ndarray:
    """Return what an ensemble says of each row; its entropy is the total uncertainty.

    Parameters
    ----------
    mean, scale : numpy.ndarray
        ``(M, N, K)`` mu and sigma of M members.
    split : str
        ``information``: the mean of the members' expected softmax. ``gaussian_logits``: the
        expected softmax of ``N(mu*, sigma_ale^2 + sigma_epi^2)``, see :func:`split_uncertainty`.
    samples, seed : int
        See :func:`expected_softmax`.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.

    Raises
    ------
    FercleanError
        For an unknown split.
    """
    _check_split(split)
    if split == "information":
        return _members(mean, scale, samples, seed).mean(axis=0, dtype=np.float64).astype("float32")
    centre, aleatoric, epistemic = _gaussian_moments(mean, scale)
    return expected_softmax(centre, np.sqrt(aleatoric + epistemic), samples=samples, seed=seed)


def split_uncertainty(
    mean: np.ndarray, scale: np.ndarray, *, split: str, samples: int, seed: int
) -> Uncertainty:
    """Tell apart the doubt within the members and that between them.

    ``information`` (recommended by de Jong et al. 2024, arXiv 2408.12175): total
    ``H(mean_m p_m)``, aleatoric ``mean_m H(p_m)``, epistemic their difference, which is the
    mutual information of prediction and member and 0 for a single one.

    ``gaussian_logits`` (the paper's): ``mu* = mean_m mu_m``, ``sigma_ale^2 = mean_m sigma_m^2``,
    ``sigma_epi^2 = var_m mu_m``, and each entropy is that of the expected softmax of
    ``N(mu*, sigma^2)`` with one of the variances or their sum. The entropies do not add up, and
    each holds that of ``softmax(mu*)``. Members' logits are centred over the classes first: a
    shift of all classes alike changes no softmax and would count as disagreement.

    Parameters
    ----------
    mean, scale : numpy.ndarray
        ``(M, N, K)`` mu and sigma of M members.
    split : str
        One of :data:`SPLITS`.
    samples, seed : int
        See :func:`expected_softmax`.

    Returns
    -------
    Uncertainty

    Raises
    ------
    FercleanError
        For an unknown split.
    ValueError
        As :func:`expected_softmax`.
    """
    _check_split(split)
    if split == "information":
        members = _members(mean, scale, samples, seed)
        whole = members.mean(axis=0, dtype=np.float64).astype(np.float32)
        within, total = _entropy(members), _entropy(whole)
        return _packed(whole, within.mean(axis=0), mutual_information(total, within), total)
    centre, aleatoric, epistemic = _gaussian_moments(mean, scale)
    of_aleatoric, of_epistemic, whole = (
        expected_softmax(centre, np.sqrt(variance), samples=samples, seed=seed)
        for variance in (aleatoric, epistemic, aleatoric + epistemic)
    )
    return _packed(whole, _entropy(of_aleatoric), _entropy(of_epistemic), _entropy(whole))


def _members(mean: np.ndarray, scale: np.ndarray, samples: int, seed: int) -> np.ndarray:
    pairs = zip(mean, scale, strict=True)
    return np.stack([expected_softmax(m, s, samples=samples, seed=seed) for m, s in pairs])


def _gaussian_moments(
    mean: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``mu*``, ``sigma_ale^2`` and ``sigma_epi^2``, ``(N, K)`` float64 each."""
    centred = mean.astype(np.float64) - mean.mean(axis=2, keepdims=True, dtype=np.float64)
    variance = np.square(scale.astype(np.float64)).mean(axis=0)
    return centred.mean(axis=0), variance, centred.var(axis=0)


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    """Return the entropy of each row; rounding must not lift it above that of ignorance."""
    return np.minimum(row_entropy(probabilities), np.log(probabilities.shape[-1]))


def _packed(probabilities: np.ndarray, *entropies: np.ndarray) -> Uncertainty:
    return Uncertainty(probabilities, *(values.astype(np.float32) for values in entropies))


def _below_zero(logits: np.ndarray) -> np.ndarray:
    """Shift ``(K, ...)`` logits so that the largest class is 0: no exponential overflows."""
    return logits - logits.max(axis=0)


def _check(mean: np.ndarray, scale: np.ndarray) -> None:
    if mean.ndim != 2 or mean.shape != scale.shape:
        raise ValueError(f"expected two (N, K) arrays: {mean.shape}, {scale.shape}")
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale >= 0).all()):
        raise ValueError("means and scales must be finite and scales at least 0")


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise unknown_name("split of the uncertainty", split, SPLITS)
