"""Per-sample contrastive loss between two views of each picture (SimCLR)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def contrastive_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return the normalised temperature-scaled cross-entropy of every view.

    ``-log( exp(s(z_i, z_j) / T) / sum_{k != i} exp(s(z_i, z_k) / T) )`` with cosine s, where j is
    the other view of the same picture and k runs over all other views of the batch (Chen et al.
    2020, arXiv 2002.05709, equation 1).

    Parameters
    ----------
    first, second : Tensor
        ``(B, D)`` projections of two views, row by row of the same pictures.
    temperature : float
        T > 0.

    Returns
    -------
    Tensor
        ``(2B,)`` float32, at least 0: the first views, then the second.
    """
    with torch.autocast(first.device.type, enabled=False):
        points = functional.normalize(torch.cat([first, second]).float(), dim=1)
        similarity = points @ points.T / temperature
    itself = torch.eye(len(points), dtype=torch.bool, device=points.device)
    partner = torch.arange(len(points), device=points.device).roll(len(first))
    return functional.cross_entropy(
        similarity.masked_fill(itself, -torch.inf), partner, reduction="none"
    )
