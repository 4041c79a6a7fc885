"""Which operations strong augmentation applies to which picture: RandAugment and AutoAugment.

RandAugment (Cubuk et al. 2020, arXiv 1909.13719) draws operations at one fixed strength;
AutoAugment (Cubuk et al. 2019, arXiv 1805.09501) draws one of 25 learned pairs of operations,
each with its own chance and strength. Strengths and pairs are torchvision's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from ferclean.config.training import AugmentSettings
from ferclean.train.picture_operations import OPERATIONS, apply_operations

# Torchvision's scales: RandAugment's magnitude is one of 31, AutoAugment's one of 10.
_RANDAUGMENT_BINS, _AUTOAUGMENT_BINS = 31, 10
# The last operation, inversion, belongs to AutoAugment alone.
_RANDAUGMENT_OPERATIONS = len(OPERATIONS) - 1
_SIGNED = (*OPERATIONS[1:6], "Brightness", "Color", "Contrast", "Sharpness")
_LARGEST_SHIFT = 150.0 / 331.0  # of the side, from AutoAugment's ImageNet pictures


@dataclass(frozen=True)
class PolicyDraw:
    """Operations for every picture of a batch, in the order in which they are applied.

    Attributes
    ----------
    kinds : Tensor
        ``(n, B)`` int64 positions in :data:`OPERATIONS`.
    values : Tensor
        ``(n, B)`` float32 strengths, see :func:`apply_operations`.
    """

    kinds: Tensor
    values: Tensor


def draw_policy(
    batch: int,
    *,
    height: int,
    width: int,
    settings: AugmentSettings,
    generator: torch.Generator,
) -> PolicyDraw:
    """Draw what :func:`apply_policy` shall do to `batch` pictures of one size.

    Parameters
    ----------
    batch, height, width : int
        B pictures of H x W pixels; shifts scale with the side.
    settings : AugmentSettings
        With a policy other than ``none``.
    generator : torch.Generator
        On the pictures' device; all randomness comes from it.

    Returns
    -------
    PolicyDraw
        On the generator's device.
    """
    if settings.policy == "randaugment":
        kinds, values = _draw_randaugment(batch, height, width, settings, generator)
    else:
        kinds, values = _draw_autoaugment(batch, height, width, settings.policy, generator)
    signs = torch.randint(2, kinds.shape, generator=generator, device=generator.device)
    signed = torch.tensor([name in _SIGNED for name in OPERATIONS], device=kinds.device)
    return PolicyDraw(kinds, torch.where(signed[kinds] & (signs == 0), -values, values))


def apply_policy(pictures: Tensor, draw: PolicyDraw, *, fill: float | Tensor) -> Tensor:
    """Do what was drawn.

    Parameters
    ----------
    pictures : Tensor
        ``(B, C, H, W)`` grey or RGB with values in [0, 255], uint8 or float; float ones are
        rounded to whole levels.
    draw : PolicyDraw
    fill : float or Tensor
        Level in [0, 255] of what comes in at the border, one or ``(C, 1, 1)``.

    Returns
    -------
    Tensor
        Of the same shape and dtype. `pictures` are unchanged.
    """
    levels = pictures if pictures.dtype == torch.uint8 else pictures.round().to(torch.uint8)
    for kinds, values in zip(draw.kinds, draw.values, strict=True):
        levels = apply_operations(levels, kinds, values, fill=fill)
    return levels.to(pictures.dtype)


def strengths(bins: int, height: int, width: int) -> Tensor:
    """Return torchvision's strength of every operation at every magnitude.

    Parameters
    ----------
    bins : int
        Number of magnitudes.
    height, width : int
        Size of a picture.

    Returns
    -------
    Tensor
        ``(len(OPERATIONS), bins)`` float32, on the CPU; 0 for operations without strength.
        Shifts are whole pixels.
    """
    kept_bits = 8 - (torch.arange(bins) / ((bins - 1) / 4)).round()
    table = {
        "ShearX": torch.linspace(0.0, 0.3, bins),
        "ShearY": torch.linspace(0.0, 0.3, bins),
        "TranslateX": torch.linspace(0.0, _LARGEST_SHIFT * width, bins).trunc(),
        "TranslateY": torch.linspace(0.0, _LARGEST_SHIFT * height, bins).trunc(),
        "Rotate": torch.linspace(0.0, 30.0, bins),
        "Posterize": kept_bits,
        "Solarize": torch.linspace(255.0, 0.0, bins),
        **dict.fromkeys(_SIGNED[-4:], torch.linspace(0.0, 0.9, bins)),
    }
    return torch.stack([table.get(name, torch.zeros(bins)) for name in OPERATIONS])


def _draw_randaugment(
    batch: int, height: int, width: int, settings: AugmentSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    shape = (settings.operations, batch)
    kinds = torch.randint(
        _RANDAUGMENT_OPERATIONS, shape, generator=generator, device=generator.device
    )
    values = strengths(_RANDAUGMENT_BINS, height, width)[:, settings.magnitude]
    return kinds, values.to(kinds.device)[kinds]


def _draw_autoaugment(
    batch: int, height: int, width: int, policy: str, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    device = generator.device
    kinds, chances, levels = learned_pairs(policy)
    values = strengths(_AUTOAUGMENT_BINS, height, width)[kinds, levels]
    chosen = torch.randint(len(kinds), (batch,), generator=generator, device=device)
    applied = (
        torch.rand((batch, 2), generator=generator, device=device) <= (chances.to(device)[chosen])
    )
    drawn = kinds.to(device)[chosen] * applied  # 0 is the identity
    return drawn.T, values.to(device)[chosen].T


@functools.cache
def learned_pairs(policy: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return AutoAugment's pairs of operations.

    Parameters
    ----------
    policy : str
        ``"autoaugment"``, learned on CIFAR-10, or ``"autoaugment_imagenet"``.

    Returns
    -------
    kinds, chances, levels : Tensor
        ``(25, 2)`` each: positions in :data:`OPERATIONS`, chances in [0, 1], and magnitudes of
        ten (0 where an operation has none).
    """
    from torchvision.transforms import AutoAugment, AutoAugmentPolicy  # here: it loads slowly

    named = {
        "autoaugment": AutoAugmentPolicy.CIFAR10,
        "autoaugment_imagenet": AutoAugmentPolicy.IMAGENET,
    }
    pairs = AutoAugment(named[policy]).policies
    kinds = [[OPERATIONS.index(name) for name, _, _ in pair] for pair in pairs]
    chances = [[chance for _, chance, _ in pair] for pair in pairs]
    levels = [[level or 0 for _, _, level in pair] for pair in pairs]
    return torch.tensor(kinds), torch.tensor(chances), torch.tensor(levels)
