"""Labels explained by a latent class and a transition matrix an annotator."""

from __future__ import annotations

import torch
from torch import Tensor

# Below any probability that float32's log still tells apart from 0.
_SMALLEST = 1e-30
MISSING = -1


def forward_cross_entropy(logits: Tensor, transitions: Tensor, labels: Tensor) -> Tensor:
    """Return ``-sum_a log sum_k p_k T_a[k, y_a]`` over the annotators who labelled the row.

    Forward correction (Patrini et al., CVPR 2017) with one matrix an annotator (Zeng et al., ECCV
    2018, equation 5).

    Parameters
    ----------
    logits : Tensor
        ``(B, K)`` of the latent class; ``p = softmax(z)``.
    transitions : Tensor
        ``(A, K, K)``; ``T_a[k, j]`` is the chance that annotator a calls class k class j.
    labels : Tensor
        ``(B, A)`` int64, -1 where an annotator gave none.

    Returns
    -------
    Tensor
        ``(B,)`` float32; 0 for a row that nobody labelled.
    """
    with torch.autocast(logits.device.type, enabled=False):
        latent = torch.softmax(logits.float(), dim=1)
        said = torch.einsum("bk,akj->baj", latent, transitions.float())
    given = labels != MISSING
    likelihood = said.gather(2, labels.clamp_min(0)[..., None])[..., 0].clamp_min(_SMALLEST)
    return torch.where(given, -likelihood.log(), torch.zeros_like(likelihood)).sum(dim=1)


def mixture_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return ``-sum_a log softmax(z)_{y_a}`` over the annotators who labelled the row.

    What :func:`forward_cross_entropy` is where nobody ever errs.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.
    labels : Tensor
        ``(B, A)`` int64, -1 where an annotator gave none.

    Returns
    -------
    Tensor
        ``(B,)`` float32; 0 for a row that nobody labelled.
    """
    log_p = torch.log_softmax(logits.float(), dim=1)
    chosen = log_p.gather(1, labels.clamp_min(0))
    return torch.where(labels != MISSING, -chosen, torch.zeros_like(chosen)).sum(dim=1)
