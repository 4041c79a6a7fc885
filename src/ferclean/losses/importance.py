"""Importance of faces by rank and permanent relabelling (SCN, Wang et al., CVPR 2020)."""

from __future__ import annotations

import torch
from torch import Tensor


def low_importance(importance: Tensor, high_share: float) -> Tensor:
    """Say which rows of a batch are outside the group of high importance.

    Parameters
    ----------
    importance : Tensor
        ``(B,)`` alpha in [0, 1].
    high_share : float
        beta in [0, 1]; the ``int(beta B)`` most important rows are the high group, of equally
        important ones the first.

    Returns
    -------
    Tensor
        ``(B,)`` bool.
    """
    order = torch.argsort(importance.detach(), descending=True, stable=True)
    low = torch.zeros(len(importance), dtype=torch.bool, device=importance.device)
    low[order[int(round(high_share * len(importance), 9)) :]] = True  # .29 * 100 is below 29
    return low


def rank_regularisation(importance: Tensor, low: Tensor, margin: float) -> Tensor:
    """Return ``max(0, delta_1 - (mean_high alpha - mean_low alpha))``, one value a batch.

    Parameters
    ----------
    importance : Tensor
        ``(B,)`` alpha.
    low : Tensor
        ``(B,)`` bool of :func:`low_importance`.
    margin : float
        delta_1.

    Returns
    -------
    Tensor
        ``(1,)`` float32; 0 where a group is empty.
    """
    if bool(low.all()) or not bool(low.any()):
        return importance.float().sum().reshape(1) * 0.0
    alpha = importance.float()
    difference = alpha[~low].mean() - alpha[low].mean()
    return (margin - difference).clamp_min(0.0).reshape(1)


def cured_labels(logits: Tensor, labels: Tensor, allowed: Tensor, margin: float) -> Tensor:
    """Return the most likely class where ``p_max - p_y > delta_2``, else the label.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.
    labels : Tensor
        ``(B,)`` int64.
    allowed : Tensor
        ``(B,)`` bool, the rows whose label may change.
    margin : float
        delta_2.

    Returns
    -------
    Tensor
        ``(B,)`` int64, without a gradient.
    """
    probabilities = torch.softmax(logits.detach().float(), dim=1)
    largest, predicted = probabilities.max(dim=1)
    own = probabilities.gather(1, labels[:, None])[:, 0]
    return torch.where(allowed & (largest - own > margin), predicted, labels)
