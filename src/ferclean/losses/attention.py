"""Consistency of attention maps under mirroring (EAC, Zhang et al., ECCV 2022)."""

from __future__ import annotations

import torch
from torch import Tensor


def class_activation_maps(maps: Tensor, weights: Tensor) -> Tensor:
    """Return ``sum_d w_kd A_d`` for every row and class.

    Parameters
    ----------
    maps : Tensor
        ``(B, D, h, w)`` feature maps A whose mean over the places the classifier reads.
    weights : Tensor
        ``(K, D)`` of the classifier; no gradient flows into them.

    Returns
    -------
    Tensor
        ``(B, K, h, w)``.
    """
    return torch.einsum("bdhw,kd->bkhw", maps, weights.detach().to(maps.dtype))


def attention_consistency(attention: Tensor, mirrored: Tensor) -> Tensor:
    """Return ``mean (M(x) - flip M(flip x))^2`` over classes and places for every row.

    Parameters
    ----------
    attention, mirrored : Tensor
        ``(B, K, h, w)`` attention to the pictures and to their mirror images; the gradient flows
        into both.

    Returns
    -------
    Tensor
        ``(B,)`` float32, at least 0.
    """
    difference = attention.float() - mirrored.float().flip(-1)
    return difference.square().flatten(1).mean(dim=1)
