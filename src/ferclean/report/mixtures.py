"""Curves of a fitted mixture's components, for the histogram of what they were fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import beta, norm

_GAUSSIAN, _BETA = {"weights", "means", "variances"}, {"weights", "alphas", "betas"}
_EDGE = 1e-3  # Beta densities are infinite at 0 and 1


def is_drawable(mixture: object) -> bool:
    """Tell whether the parameters describe a Gaussian or a Beta mixture."""
    if not isinstance(mixture, Mapping):
        return False
    return any(keys <= set(mixture) for keys in (_GAUSSIAN, _BETA)) and bool(mixture["weights"])


def component_curves(
    mixture: Mapping[str, Sequence[float]], place: np.ndarray
) -> list[tuple[str, np.ndarray]]:
    """Return each component's label and its weighted density.

    Parameters
    ----------
    mixture : mapping
        ``weights`` with ``means`` and ``variances`` (Gaussian, over losses: the component with
        the smaller mean is clean), or with ``alphas`` and ``betas`` (Beta, over similarities, the
        clean component first).
    place : numpy.ndarray
        ``(P,)`` values at which the densities are taken.

    Returns
    -------
    list of (str, numpy.ndarray)
        Clean component first; ``(P,)`` float64 each.
    """
    weights = np.asarray(mixture["weights"], dtype=np.float64)
    if set(mixture) >= _BETA:
        order = np.arange(len(weights))
        inside = np.clip(place, _EDGE, 1.0 - _EDGE)
        densities = [
            beta.pdf(inside, a, b) for a, b in zip(mixture["alphas"], mixture["betas"], strict=True)
        ]
    else:
        order = np.argsort(np.asarray(mixture["means"], dtype=np.float64))
        densities = [
            norm.pdf(place, mean, np.sqrt(variance))
            for mean, variance in zip(mixture["means"], mixture["variances"], strict=True)
        ]
    names = ("clean", "noisy") if len(order) == 2 else tuple(str(n + 1) for n in range(len(order)))
    return [
        (f"fitted: {name}", weights[component] * densities[component])
        for name, component in zip(names, order, strict=True)
    ]
