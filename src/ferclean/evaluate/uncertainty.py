"""Whether a method doubts where annotators disagree: rank correlations of entropies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ferclean.evaluate.distributions import entropy, rank_correlation

# Evidence of a partition that is doubt about a row's label.
DOUBTS = ("aleatoric", "epistemic")


def doubt_correlations(
    doubts: Mapping[str, ArrayLike], references: Mapping[str, ArrayLike]
) -> dict[str, float | None]:
    """Correlate each doubt with the entropy of each reference distribution.

    Parameters
    ----------
    doubts : mapping of str to array_like
        ``(N,)`` by name.
    references : mapping of str to array_like
        ``(N, K)`` by name: vote shares, or true label distributions; rows with a NaN are left
        out.

    Returns
    -------
    dict
        Spearman's rank correlation as ``<doubt>_<reference>_spearman``; ``None`` where fewer
        than two rows are known or either side is constant.

    Raises
    ------
    ValueError
        If the lengths differ or a doubt is not finite.
    """
    found: dict[str, float | None] = {}
    for name, values in doubts.items():
        doubt = np.asarray(values, dtype=np.float64)
        if not np.isfinite(doubt).all():
            raise ValueError(f"{name} doubt must be finite")
        for kind, reference in references.items():
            distributions = np.asarray(reference, dtype=np.float64)
            if doubt.shape != distributions.shape[:1]:
                raise ValueError(f"{name}: {doubt.shape} doubts, {distributions.shape} of {kind}")
            known = np.isfinite(distributions).all(axis=1)
            key = f"{name}_{kind}_spearman"
            found[key] = rank_correlation(entropy(distributions[known]), doubt[known])
    return found
