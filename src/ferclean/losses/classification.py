"""Per-sample classification losses; the reduction happens outside."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ``-sum_k t_k log softmax(z)_k`` for every row.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.
    targets : Tensor
        ``(B,)`` int64 classes or ``(B, K)`` distributions.

    Returns
    -------
    Tensor
        ``(B,)`` float32.
    """
    return functional.cross_entropy(logits.float(), targets, reduction="none")


def squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ``mean_k (softmax(z)_k - t_k)^2`` for every row.

    MixMatch's loss of unlabelled rows; the mean over rows and classes is DivideMix's L_u.

    Parameters
    ----------
    logits, targets : Tensor
        ``(B, K)``.

    Returns
    -------
    Tensor
        ``(B,)`` float32.
    """
    return (torch.softmax(logits.float(), dim=1) - targets).square().mean(dim=1)


def uniform_prior_penalty(logits: Tensor) -> Tensor:
    """Return ``sum_c pi_c log(pi_c / mean_b softmax(z_b)_c)`` with uniform pi, one value a batch.

    DivideMix's L_reg: keeps a network from giving all rows the same class.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.

    Returns
    -------
    Tensor
        ``(1,)`` float32, at least 0.
    """
    classes = logits.shape[1]
    log_mean = torch.logsumexp(torch.log_softmax(logits.float(), dim=1), dim=0)
    log_mean = log_mean - torch.log(torch.tensor(float(len(logits)), device=logits.device))
    prior = 1.0 / classes
    return (prior * (torch.log(torch.tensor(prior)) - log_mean)).sum().reshape(1)


def negative_entropy(logits: Tensor) -> Tensor:
    """Return ``sum_k p_k log p_k`` for every row: a penalty on sure predictions.

    DivideMix's confidence penalty of the warm-up under asymmetric noise.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.

    Returns
    -------
    Tensor
        ``(B,)`` float32 in [-log K, 0].
    """
    log_p = torch.log_softmax(logits.float(), dim=1)
    return (log_p.exp() * log_p).sum(dim=1)
