"""Likelihood of labels under noisy logits (Kendall and Gal, NIPS 2017, arXiv 1703.04977)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

# Draws whose softmax is held at a time.
CHUNK_SAMPLES = 25


def sampled_log_softmax(
    mean: Tensor,
    scale: Tensor,
    *,
    samples: int,
    generator: torch.Generator,
    chunk_samples: int = CHUNK_SAMPLES,
) -> Tensor:
    """Return ``log (1/T) sum_t softmax(mu + sigma e_t)`` for every row, ``e_t ~ N(0, I)``.

    Computed as ``logsumexp_t(log_softmax(z_t)) - log T``, which no logit overflows. Of the T
    softmaxes only a chunk is held at a time, in the backward pass too; what is kept is the noise.

    Parameters
    ----------
    mean, scale : Tensor
        ``(B, K)`` mu and sigma >= 0.
    samples : int
        T, at least 1.
    generator : torch.Generator
        Draws the noise; on the device of `mean`.
    chunk_samples : int
        Draws a chunk; changes rounding only.

    Returns
    -------
    Tensor
        ``(B, K)`` float32, at most 0.
    """
    mean, scale = mean.float(), scale.float()
    noise = torch.randn((samples, *mean.shape), generator=generator, device=mean.device)
    parts = [
        checkpoint(_log_sum_softmax, mean, scale, part, use_reentrant=False)
        for part in noise.split(chunk_samples)
    ]
    return torch.logsumexp(torch.stack(parts), dim=0) - math.log(samples)


def heteroscedastic_nll(log_probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return ``-sum_k t_k log p_k`` for every row.

    Parameters
    ----------
    log_probabilities : Tensor
        ``(B, K)`` of :func:`sampled_log_softmax`.
    targets : Tensor
        ``(B, K)`` label distributions; one-hot rows give Kendall and Gal's equation 12.

    Returns
    -------
    Tensor
        ``(B,)`` float32, at least 0.
    """
    return -(targets * log_probabilities).sum(dim=1)


def _log_sum_softmax(mean: Tensor, scale: Tensor, noise: Tensor) -> Tensor:
    return torch.logsumexp(torch.log_softmax(mean + scale * noise, dim=2), dim=0)
