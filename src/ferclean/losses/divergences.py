"""Per-sample divergences between a prediction and a label distribution."""

from __future__ import annotations

import torch
from torch import Tensor

# Smallest probability whose logarithm is taken.
_SMALLEST = 1e-8


def divergence_from_target(logits: Tensor, target: Tensor) -> Tensor:
    """Return ``KL(t || softmax(z)) = sum_k t_k (log t_k - log softmax(z)_k)`` for every row.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.
    target : Tensor
        ``(B, K)`` distributions; where one is 0 its term is 0.

    Returns
    -------
    Tensor
        ``(B,)`` float32, at least 0.
    """
    # Not xlogy: where a target takes part in the gradient, its slope at 0 is no number.
    entropy = target * target.clamp_min(_SMALLEST).log()
    return (entropy - target * torch.log_softmax(logits.float(), dim=1)).sum(dim=1)


def divergence_to_target(logits: Tensor, target: Tensor) -> Tensor:
    """Return ``KL(softmax(z) || t) = sum_k p_k (log p_k - log t_k)`` for every row.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.
    target : Tensor
        ``(B, K)`` distributions; probabilities below 1e-8 count as 1e-8.

    Returns
    -------
    Tensor
        ``(B,)`` float32.
    """
    log_p = torch.log_softmax(logits.float(), dim=1)
    return (log_p.exp() * (log_p - target.clamp_min(_SMALLEST).log())).sum(dim=1)
