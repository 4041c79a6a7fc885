"""Mixing of pictures and targets (mixup, Zhang et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ferclean.losses.classification import cross_entropy
from ferclean.train.passes import Step, Term


def draw_coefficient(alpha: float, random: np.random.Generator) -> float:
    """Draw ``max(l, 1 - l)`` with ``l ~ Beta(alpha, alpha)``: the first partner dominates."""
    drawn = float(random.beta(alpha, alpha))
    return max(drawn, 1.0 - drawn)


def draw_partners(count: int, generator: torch.Generator) -> Tensor:
    """Draw a random permutation of `count` rows on the generator's device, ``(count,)`` int64."""
    return torch.randperm(count, generator=generator, device=generator.device)


def mix(values: Tensor, partners: Tensor, coefficient: float) -> Tensor:
    """Return ``l * v + (1 - l) * v[partners]``.

    Parameters
    ----------
    values : Tensor
        ``(B, ...)`` pictures or target distributions.
    partners : Tensor
        ``(B,)`` int64, a permutation.
    coefficient : float
        l in [0, 1].
    """
    return coefficient * values + (1.0 - coefficient) * values[partners]


def mixup_objective(targets: Tensor, network: int, alpha: float) -> Callable[[Step], list[Term]]:
    """Return SMR's warm-up objective for one network.

    ``l CE(f(x~), y) + (1 - l) CE(f(x~), y[perm])`` with one l a batch.

    Parameters
    ----------
    targets : Tensor
        ``(N,)`` int64 observed labels on the training device.
    network : int
        The network that is trained.
    alpha : float
        Of the Beta distribution.
    """

    def objective(step: Step) -> list[Term]:
        batch = step.batches["all"]
        labels = targets[batch.rows]
        coefficient = draw_coefficient(alpha, step.random)
        partners = draw_partners(len(labels), step.generator)
        logits = step.networks[network](mix(batch.views[0], partners, coefficient))
        own, other = cross_entropy(logits, labels), cross_entropy(logits, labels[partners])
        return [Term("mixup", coefficient * own + (1.0 - coefficient) * other)]

    return objective
