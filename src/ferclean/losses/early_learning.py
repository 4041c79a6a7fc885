"""Early-learning regularisation (ELR, Liu et al., NeurIPS 2020, arXiv 2007.00151)."""

from __future__ import annotations

import torch
from torch import Tensor

_SMALLEST = 1e-4


def clipped_prediction(logits: Tensor) -> Tensor:
    """Return ``softmax(z)`` clipped to [1e-4, 1 - 1e-4], ``(B, K)`` float32, not renormalised."""
    return torch.softmax(logits.float(), dim=1).clamp(_SMALLEST, 1.0 - _SMALLEST)


def moved_target(target: Tensor, prediction: Tensor, momentum: float) -> Tensor:
    """Return ``beta t + (1 - beta) p / sum_k p_k`` for every row, without a gradient.

    Parameters
    ----------
    target : Tensor
        ``(B, K)`` running targets; rows sum to at most 1.
    prediction : Tensor
        ``(B, K)`` of :func:`clipped_prediction`.
    momentum : float
        beta in [0, 1].
    """
    said = prediction.detach()
    return momentum * target + (1.0 - momentum) * said / said.sum(dim=1, keepdim=True)


def early_learning_penalty(prediction: Tensor, target: Tensor) -> Tensor:
    """Return ``log(1 - <t, p>)`` for every row: least where both agree.

    Parameters
    ----------
    prediction : Tensor
        ``(B, K)`` of :func:`clipped_prediction`, which keeps ``<t, p>`` below 1.
    target : Tensor
        ``(B, K)`` running targets; rows sum to at most 1.

    Returns
    -------
    Tensor
        ``(B,)`` float32, at most 0 and at least ``log(1e-4)``.
    """
    return torch.log(1.0 - (target * prediction).sum(dim=1))
