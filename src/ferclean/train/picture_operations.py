"""The operations of AutoAugment and RandAugment on a batch, each picture with its own strength.

Rows with the same operation are changed together; there is no loop over pictures. What each
operation does to a picture is what ``torchvision.transforms`` does under the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import torch
from torch import Tensor

# Geometric ones first and together: they share one warp.
OPERATIONS = (
    "Identity",
    *("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"),
    *("Brightness", "Color", "Contrast", "Sharpness", "Posterize", "Solarize"),
    *("AutoContrast", "Equalize", "Invert"),
)
_SHEAR_X, _SHEAR_Y, _MOVE_X, _MOVE_Y, _ROTATE = range(1, 6)
_WHITE = 255
_BITS = 8


def apply_operations(
    pictures: Tensor, kinds: Tensor, values: Tensor, *, fill: float | Tensor
) -> Tensor:
    """Apply one operation to every picture.

    Parameters
    ----------
    pictures : Tensor
        ``(B, C, H, W)`` uint8, grey or RGB.
    kinds : Tensor
        ``(B,)`` int64 positions in :data:`OPERATIONS`.
    values : Tensor
        ``(B,)`` float: tangent of a shear, pixels of a shift, degrees of a counter-clockwise
        rotation, x of a factor ``1 + x`` for brightness, colour, contrast and sharpness, bits
        kept, or the level from which on pixels are inverted; unused by the others.
    fill : float or Tensor
        Level in [0, 255] of what comes in at the border, one or ``(C, 1, 1)``.

    Returns
    -------
    Tensor
        ``(B, C, H, W)`` uint8. The picture under a warp is sampled at the nearest pixel.
    """
    order = torch.argsort(kinds, stable=True)
    counts = torch.bincount(kinds, minlength=len(OPERATIONS)).tolist()
    ends = [0, *accumulate(counts)]
    result = pictures.clone()
    warped = order[ends[_SHEAR_X] : ends[_ROTATE + 1]]
    if len(warped):
        height, width = pictures.shape[-2:]
        matrices = _sources(kinds[warped], values[warped], height, width)
        result[warped] = _warp(pictures[warped], matrices, fill)
    for name, change in _LEVEL_CHANGES.items():
        kind = OPERATIONS.index(name)
        rows = order[ends[kind] : ends[kind + 1]]
        if len(rows):
            result[rows] = change(pictures[rows], values[rows].view(-1, 1, 1, 1))
    return result


def _sources(kinds: Tensor, values: Tensor, height: int, width: int) -> Tensor:
    """Return ``(G, 2, 3)`` float64: from a place, seen from the centre, to where it came from.

    Shears leave the upper left corner in its place, rotations the centre.
    """
    values = values.double()
    zero = torch.zeros_like(values)
    angle = torch.deg2rad(torch.where(kinds == _ROTATE, values, zero))
    shear_x = torch.where(kinds == _SHEAR_X, values, zero)
    shear_y = torch.where(kinds == _SHEAR_Y, values, zero)
    right = shear_x * (height / 2) - torch.where(kinds == _MOVE_X, values, zero)
    down = shear_y * (width / 2) - torch.where(kinds == _MOVE_Y, values, zero)
    columns = torch.stack([angle.cos(), shear_x - angle.sin(), right], dim=1)
    rows = torch.stack([shear_y + angle.sin(), angle.cos(), down], dim=1)
    return torch.stack([columns, rows], dim=1)


def _warp(pictures: Tensor, matrices: Tensor, fill: float | Tensor) -> Tensor:
    height, width = pictures.shape[-2:]
    device = pictures.device
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=device)
    x = torch.arange(width, device=device) - middle[0]
    y = torch.arange(height, device=device) - middle[1]
    by_column = matrices[:, :, :1] * x  # (G, 2, W)
    by_row = matrices[:, :, 1:2] * y + matrices[:, :, 2:] + middle[:, None]  # (G, 2, H)
    places = (by_column[:, :, None] + by_row[..., None]).float().round_()
    column = places[:, 0].clamp(0, width - 1)
    row = places[:, 1].clamp(0, height - 1)
    inside = (column == places[:, 0]) & (row == places[:, 1])
    index = row.mul_(width).add_(column).long().flatten(1)
    flat = index[:, None].expand(-1, pictures.shape[1], -1)
    moved = pictures.flatten(2).gather(2, flat).view_as(pictures)
    level = torch.as_tensor(fill, device=device).round().to(pictures.dtype)
    return torch.where(inside[:, None], moved, level)


def _blend(pictures: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """Return ``factor * pictures + (1 - factor) * other``, cut off to whole levels.

    Written so that a pixel equal in both stays as it is.
    """
    levels = pictures.float()
    mixed = (other - levels).mul_((1.0 - factor).float()).add_(levels)
    return mixed.clamp_(0, _WHITE).to(torch.uint8)


def _brighten(pictures: Tensor, value: Tensor) -> Tensor:
    return (pictures * (1.0 + value).float()).clamp_(0, _WHITE).to(torch.uint8)


def _grey(pictures: Tensor) -> Tensor:
    from torchvision.transforms.v2 import functional as v2  # here: it loads slowly

    return v2.rgb_to_grayscale(pictures).float()


def _colour(pictures: Tensor, value: Tensor) -> Tensor:
    if pictures.shape[1] == 1:
        return pictures
    return _blend(pictures, _grey(pictures), 1.0 + value)


def _contrast(pictures: Tensor, value: Tensor) -> Tensor:
    mean = _grey(pictures).mean(dim=(1, 2, 3), keepdim=True)
    return _blend(pictures, mean, 1.0 + value)


def _sharpen(pictures: Tensor, value: Tensor) -> Tensor:
    if min(pictures.shape[-2:]) <= 2:  # no pixel has all its neighbours
        return pictures
    levels = pictures.float()
    # Pillow's smoothing kernel: weight 5 in the middle and 1 around it, over 13.
    three = levels[..., :-2, :] + levels[..., 1:-1, :] + levels[..., 2:, :]
    nine = three[..., :-2] + three[..., 1:-1] + three[..., 2:]
    inner = pictures[..., 1:-1, 1:-1]
    smooth = nine.add_(inner, alpha=4).div_(13).round_()
    result = pictures.clone()
    result[..., 1:-1, 1:-1] = _blend(inner, smooth, 1.0 + value)
    return result


def _posterize(pictures: Tensor, value: Tensor) -> Tensor:
    dropped = (_BITS - value).to(torch.uint8)
    return (pictures >> dropped) << dropped


def _solarize(pictures: Tensor, value: Tensor) -> Tensor:
    return torch.where(pictures >= value, _WHITE - pictures, pictures)


def _stretch(pictures: Tensor, value: Tensor) -> Tensor:
    from torchvision.transforms.v2 import functional as v2

    return v2.autocontrast(pictures)


def _equalize(pictures: Tensor, value: Tensor) -> Tensor:
    from torchvision.transforms.v2 import functional as v2

    return v2.equalize(pictures)


def _invert(pictures: Tensor, value: Tensor) -> Tensor:
    return _WHITE - pictures


_LEVEL_CHANGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Brightness": _brighten,
    "Color": _colour,
    "Contrast": _contrast,
    "Sharpness": _sharpen,
    "Posterize": _posterize,
    "Solarize": _solarize,
    "AutoContrast": _stretch,
    "Equalize": _equalize,
    "Invert": _invert,
}
