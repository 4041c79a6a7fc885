"""Per-sample similarity of predictions and labels, and the agreement of two networks (ReSup)."""

from __future__ import annotations

import torch
from torch import Tensor

# The source clamps its weights so that no row counts fully or not at all.
_LEAST_WEIGHT = 1e-4


def label_similarity(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ``cos(p, onehot(y)) = p_y / ||p||_2`` with ``p = softmax(z)`` for every row.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.
    targets : Tensor
        ``(B,)`` int64 classes.

    Returns
    -------
    Tensor
        ``(B,)`` float32 in [0, 1]; ``1 / sqrt(K)`` for a uniform prediction.
    """
    probabilities = torch.softmax(logits.float(), dim=1)
    own = probabilities.gather(1, targets[:, None])[:, 0]
    return (own / probabilities.norm(dim=1)).clamp_max(1.0)


def look_up(tables: Tensor, similarity: Tensor, group: Tensor | None = None) -> Tensor:
    """Return ``table[int(100 s)]`` for every row, without a gradient.

    Parameters
    ----------
    tables : Tensor
        ``(G, 100)`` of :func:`ferclean.partition.beta_mixture.posterior_tables`.
    similarity : Tensor
        ``(B,)`` in [0, 1].
    group : Tensor, optional
        ``(B,)`` int64, each row's table; by default the first.

    Returns
    -------
    Tensor
        ``(B,)`` of the tables' type.
    """
    points = tables.shape[1]
    index = (points * similarity.detach()).long().clamp(0, points - 1)
    return tables[0][index] if group is None else tables[group, index]


def clamp_weight(weight: Tensor) -> Tensor:
    """Return weights clamped to [1e-4, 1 - 1e-4], without a gradient."""
    return weight.detach().clamp(_LEAST_WEIGHT, 1.0 - _LEAST_WEIGHT)


def agreement_error(first: Tensor, second: Tensor) -> Tensor:
    """Return ``mean_k (softmax(z_0)_k - softmax(z_1)_k)^2`` for every row.

    Parameters
    ----------
    first, second : Tensor
        ``(B, K)`` logits of two networks; the gradient flows into both.

    Returns
    -------
    Tensor
        ``(B,)`` float32.
    """
    both = [torch.softmax(logits.float(), dim=1) for logits in (first, second)]
    return (both[0] - both[1]).square().mean(dim=1)
