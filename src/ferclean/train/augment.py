"""Random changes of a batch of pictures, each sample with its own draw, without a loop.

What is drawn (:func:`draw_augmentation`) is kept apart from what is done with it
(:func:`apply_augmentation`): the second is a pure function of pictures and draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from ferclean.config.training import AugmentSettings
from ferclean.errors import FercleanError
from ferclean.train.policies import PolicyDraw, apply_policy, draw_policy

# torchvision's RandomErasing: range of height / width, and rectangles tried before giving up.
_ERASE_RATIO = (0.3, 3.3)
_ERASE_ATTEMPTS = 10


@dataclass(frozen=True)
class Augmentation:
    """One draw for each picture of a batch; ``None`` where a change is switched off.

    Attributes
    ----------
    shift : int
        Largest shift; pictures are padded by so many pixels.
    padding : str
        ``"reflect"`` at the border, or ``"zero"``.
    corner : tuple of torch.Tensor or None
        Row and column, ``(B,)`` int64 each in ``[0, 2 * shift]``, at which the picture is cut
        out of the padded one.
    flip : torch.Tensor or None
        ``(B,)`` bool: mirror left and right, after the shift.
    box : tuple of torch.Tensor or None
        Top, left, height, width, ``(B,)`` int64 each, of the erased rectangle, last of all;
        height and width are 0 where nothing is erased.
    policy : PolicyDraw or None
        Operations of an augmentation policy, after the mirror and before erasing.
    """

    shift: int
    padding: str
    corner: tuple[torch.Tensor, torch.Tensor] | None
    flip: torch.Tensor | None
    box: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor] | None
    policy: PolicyDraw | None = None


def augment(
    pictures: torch.Tensor,
    *,
    settings: AugmentSettings,
    generator: torch.Generator,
    fill: float | torch.Tensor = 127.5,
    where: str = "training.augment",
) -> torch.Tensor:
    """Shift, mirror, change by a policy and erase pictures at random, in this order.

    The order is that of torchvision's reference training.

    Parameters
    ----------
    pictures : torch.Tensor
        ``(B, C, H, W)``, uint8 or float, with values in [0, 255]; a policy rounds float ones to
        whole levels.
    settings : AugmentSettings
        What is done and how strongly.
    generator : torch.Generator
        On the pictures' device; all randomness comes from it.
    fill : float or torch.Tensor
        Value of erased pixels, and of what a policy's warp brings in, in [0, 255], one or
        ``(C, 1, 1)``; 255 times the mean that :func:`normalise` subtracts makes them 0 in the
        end.
    where : str
        Where `settings` stand in params.yaml.

    Returns
    -------
    torch.Tensor
        Of the same shape and dtype. `pictures` are unchanged.

    Raises
    ------
    FercleanError
        If the shift is not smaller than the pictures.
    """
    batch, _, height, width = pictures.shape
    if settings.shift >= min(height, width):
        raise FercleanError(
            f"{where}.shift must be below the face size of {min(height, width)} pixels, "
            f"found {settings.shift}"
        )
    draws = draw_augmentation(
        batch, height=height, width=width, settings=settings, generator=generator
    )
    return apply_augmentation(pictures, draws, fill=fill)


def normalise(
    pictures: torch.Tensor, *, mean: float | torch.Tensor, scale: float | torch.Tensor
) -> torch.Tensor:
    """Return ``(pictures / 255 - mean) / scale``, in float32 for uint8 pictures.

    Parameters
    ----------
    pictures : torch.Tensor
        Any shape, uint8 or float, with values in [0, 255].
    mean, scale : float or torch.Tensor
        In units of [0, 1], one or ``(C, 1, 1)``; `scale` is above 0.
    """
    return torch.mul(pictures, 1 / (255 * scale)).sub_(mean / scale)


def draw_augmentation(
    batch: int,
    *,
    height: int,
    width: int,
    settings: AugmentSettings,
    generator: torch.Generator,
) -> Augmentation:
    """Draw what :func:`apply_augmentation` shall do to `batch` pictures of one size.

    Parameters
    ----------
    batch, height, width : int
        B pictures of H x W pixels, both above ``settings.shift`` (:func:`augment` checks that).
    settings : AugmentSettings
        What is done and how strongly.
    generator : torch.Generator
        On the pictures' device; all randomness comes from it.

    Returns
    -------
    Augmentation
        On the generator's device.
    """
    corner = flip = box = policy = None
    device = generator.device
    if settings.shift > 0:
        steps = (2, batch)
        rows, columns = torch.randint(
            2 * settings.shift + 1, steps, generator=generator, device=device
        )
        corner = (rows, columns)
    if settings.flip:
        flip = torch.rand(batch, generator=generator, device=device) < 0.5
    if settings.policy != "none":
        policy = draw_policy(
            batch, height=height, width=width, settings=settings, generator=generator
        )
    if settings.erase > 0:
        box = _draw_boxes(batch, height, width, settings, generator)
    return Augmentation(settings.shift, settings.padding, corner, flip, box, policy)


def _draw_boxes(
    batch: int, height: int, width: int, settings: AugmentSettings, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator, device=generator.device)

    smallest, largest = settings.erase_area
    low, high = (math.log(ratio) for ratio in _ERASE_RATIO)
    area = height * width * (smallest + (largest - smallest) * uniform(batch, _ERASE_ATTEMPTS))
    ratio = torch.exp(low + (high - low) * uniform(batch, _ERASE_ATTEMPTS))
    heights = torch.sqrt(area * ratio).round().long()
    widths = torch.sqrt(area / ratio).round().long()
    fits = (heights < height) & (widths < width)
    first = fits.to(torch.uint8).argmax(dim=1, keepdim=True)  # the first that fits, if any
    erased = (uniform(batch) < settings.erase) & fits.any(dim=1)
    box_height = heights.gather(1, first).squeeze(1) * erased
    box_width = widths.gather(1, first).squeeze(1) * erased
    top = (uniform(batch) * (height - box_height + 1)).long()
    left = (uniform(batch) * (width - box_width + 1)).long()
    return top, left, box_height, box_width


def apply_augmentation(
    pictures: torch.Tensor, draws: Augmentation, *, fill: float | torch.Tensor = 127.5
) -> torch.Tensor:
    """Do what was drawn; see :func:`augment` for shapes and values."""
    if draws.corner is not None:
        pad = _pad_by_zero if draws.padding == "zero" else _pad_by_reflection
        pictures = _cut(pad(pictures, draws.shift), draws.corner, draws.shift)
    if draws.flip is not None:
        pictures = torch.where(draws.flip.view(-1, 1, 1, 1), pictures.flip(-1), pictures)
    if draws.policy is not None:
        pictures = apply_policy(pictures, draws.policy, fill=fill)
    if draws.box is not None:
        inside = _inside(draws.box, *pictures.shape[-2:])
        value = torch.as_tensor(fill)
        value = value if pictures.is_floating_point() else value.round()
        pictures = torch.where(inside, value.to(pictures.dtype), pictures)
    return pictures


def _pad_by_zero(pictures: torch.Tensor, by: int) -> torch.Tensor:
    return functional.pad(pictures, (by, by, by, by))


def _pad_by_reflection(pictures: torch.Tensor, by: int) -> torch.Tensor:
    # torch's own reflection padding does not take uint8.
    above, below = pictures[:, :, 1 : by + 1], pictures[:, :, -by - 1 : -1]
    tall = torch.cat([above.flip(2), pictures, below.flip(2)], dim=2)
    left, right = tall[..., 1 : by + 1], tall[..., -by - 1 : -1]
    return torch.cat([left.flip(3), tall, right.flip(3)], dim=3)


def _cut(
    padded: torch.Tensor, corner: tuple[torch.Tensor, torch.Tensor], shift: int
) -> torch.Tensor:
    # All (2 shift + 1)^2 windows as a view: picking one copies whole rows, not single pixels.
    height, width = (side - 2 * shift for side in padded.shape[-2:])
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    samples = torch.arange(len(padded), device=padded.device)
    return windows[samples, :, corner[0], corner[1]]


def _inside(
    box: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], height: int, width: int
) -> torch.Tensor:
    top, left, box_height, box_width = (values.view(-1, 1) for values in box)
    rows = torch.arange(height, device=top.device)
    columns = torch.arange(width, device=top.device)
    in_rows = (rows >= top) & (rows < top + box_height)
    in_columns = (columns >= left) & (columns < left + box_width)
    return (in_rows[:, :, None] & in_columns[:, None, :]).unsqueeze(1)
