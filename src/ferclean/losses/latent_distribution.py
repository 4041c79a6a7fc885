"""Losses of DMUE (She et al., CVPR 2021): latent label distributions from auxiliary branches.

Branch c knows all classes but c. It learns from the rows of other labels, and says of the rows
with label c what they look like apart from their label.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def branch_cross_entropy(branch_logits: Tensor, labels: Tensor) -> Tensor:
    """Return every auxiliary branch's mean cross-entropy over the rows that it learns from.

    Parameters
    ----------
    branch_logits : Tensor
        ``(B, C, C)``; ``[i, c]`` is what branch c says of row i, ``-inf`` at class c.
    labels : Tensor
        ``(B,)`` int64.

    Returns
    -------
    Tensor
        ``(C',)`` float32, one a branch with at least one row: all of them but where a batch holds
        a single class.
    """
    classes = branch_logits.shape[1]
    log_p = torch.log_softmax(branch_logits.float(), dim=2)
    own = log_p.gather(2, labels[:, None, None].expand(-1, classes, 1))[..., 0]
    learns = ~functional.one_hot(labels, classes).bool()
    losses = torch.where(learns, -own, torch.zeros_like(own))
    count = learns.sum(dim=0)
    return losses.sum(dim=0)[count > 0] / count[count > 0]


def latent_distribution(branch_logits: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return ``p^(1/T) / sum p^(1/T)`` of the branch that does not know the row's label.

    Parameters
    ----------
    branch_logits : Tensor
        ``(B, C, C)``, see :func:`branch_cross_entropy`.
    labels : Tensor
        ``(B,)`` int64.
    temperature : float
        T > 0.

    Returns
    -------
    Tensor
        ``(B, C)`` float32 without a gradient, 0 at the label; rows sum to 1.
    """
    rows = torch.arange(len(labels), device=labels.device)
    own = branch_logits.detach()[rows, labels].float()
    return torch.softmax(torch.log_softmax(own, dim=1) / temperature, dim=1)


def latent_error(logits: Tensor, labels: Tensor, latent: Tensor) -> Tensor:
    """Return ``mean_k (softmax(z)_k [k != y] - t_k)^2`` for every row.

    Parameters
    ----------
    logits : Tensor
        ``(B, C)`` of the target branch.
    labels : Tensor
        ``(B,)`` int64.
    latent : Tensor
        ``(B, C)`` t of :func:`latent_distribution`.

    Returns
    -------
    Tensor
        ``(B,)`` float32.
    """
    others = torch.softmax(logits.float(), dim=1).scatter(1, labels[:, None], 0.0)
    return (others - latent).square().mean(dim=1)


def similarity_error(branches: Tensor, target: Tensor, labels: Tensor) -> Tensor:
    """Return ``mean (G_c - G)^2`` over pairs of rows of other labels for every branch c.

    G holds the inner products of the target branch's rows, ``G_c`` those of branch c; each row of
    either is scaled to length 1.

    Parameters
    ----------
    branches : Tensor
        ``(B, C, D')`` features or logits of the auxiliary branches.
    target : Tensor
        ``(B, D)`` features of the target branch.
    labels : Tensor
        ``(B,)`` int64.

    Returns
    -------
    Tensor
        ``(C',)`` float32, one a branch with at least one row; the gradient flows into both.
    """
    errors = []
    with torch.autocast(target.device.type, enabled=False):
        whole = target.float() @ target.float().T
        for branch in range(branches.shape[1]):
            rows = torch.nonzero(labels != branch)[:, 0]
            if len(rows):
                points = branches[rows, branch].float()
                own = functional.normalize(points @ points.T, dim=1)
                other = functional.normalize(whole[rows][:, rows], dim=1)
                errors.append((own - other).square().mean())
    return torch.stack(errors)


def ramp_up(epoch: float, length: float) -> float:
    """Return ``exp(-5 (1 - e/a)^2)`` after e of a epochs, 1 afterwards."""
    return math.exp(-5.0 * (1.0 - min(epoch / length, 1.0)) ** 2)


def ramp_down(epoch: float, length: float) -> float:
    """Return 1 for a epochs, ``exp(-(1 - a/e)^2)`` afterwards."""
    return 1.0 if epoch < length else math.exp(-((1.0 - length / epoch) ** 2))
