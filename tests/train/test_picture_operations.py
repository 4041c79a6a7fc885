"""Every operation against torchvision's, picture by picture."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.train.picture_operations import OPERATIONS, apply_operations

# Per operation, how many levels a pixel may be off and in which share of the pixels: blends are
# written in another order of operations than torchvision's, and cut off to whole levels.
BLENDS = ("Color", "Contrast", "Sharpness")
FILL = 90


def random_pictures(batch=24, channels=3, height=20, width=17, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (batch, channels, height, width))
    return torch.from_numpy(values.astype(np.uint8))


def smooth_pictures(batch=24, channels=3, height=20, width=17):
    ramp = torch.arange(height).view(-1, 1) * 4 + torch.arange(width) * 3
    shades = torch.arange(batch).view(-1, 1, 1, 1) + torch.arange(channels).view(-1, 1, 1) * 20
    return (ramp + shades).clamp(0, 255).to(torch.uint8)


def values_for(name, batch):
    if name in ("ShearX", "ShearY"):
        return torch.linspace(-0.3, 0.3, batch)
    if name.startswith("Translate"):
        return torch.linspace(-9, 9, batch).trunc()
    if name == "Rotate":
        return torch.linspace(-30, 30, batch)
    if name == "Posterize":
        return torch.linspace(4, 8, batch).round()
    if name == "Solarize":
        return torch.linspace(0, 255, batch)
    return torch.linspace(-0.9, 0.9, batch)


def with_torchvision(picture, name, value, fill=FILL):
    transforms = pytest.importorskip("torchvision.transforms")
    v2 = pytest.importorskip("torchvision.transforms.v2.functional")
    nearest, levels = transforms.InterpolationMode.NEAREST, [float(fill)] * len(picture)

    def affine(translate=(0, 0), shear=(0.0, 0.0), center=None):
        return v2.affine(picture, 0.0, list(translate), 1.0, list(shear), nearest, levels, center)

    degrees = math.degrees(math.atan(value))
    changes = {
        "Identity": lambda: picture,
        "ShearX": lambda: affine(shear=(degrees, 0.0), center=[0, 0]),
        "ShearY": lambda: affine(shear=(0.0, degrees), center=[0, 0]),
        "TranslateX": lambda: affine(translate=(int(value), 0)),
        "TranslateY": lambda: affine(translate=(0, int(value))),
        "Rotate": lambda: v2.rotate(picture, value, nearest, fill=levels),
        "Brightness": lambda: v2.adjust_brightness(picture, 1 + value),
        "Color": lambda: v2.adjust_saturation(picture, 1 + value),
        "Contrast": lambda: v2.adjust_contrast(picture, 1 + value),
        "Sharpness": lambda: v2.adjust_sharpness(picture, 1 + value),
        "Posterize": lambda: v2.posterize(picture, int(value)),
        "Solarize": lambda: v2.solarize(picture, value),
        "AutoContrast": lambda: v2.autocontrast(picture),
        "Equalize": lambda: v2.equalize(picture),
        "Invert": lambda: v2.invert(picture),
    }
    return changes[name]()


@pytest.mark.parametrize("make", [random_pictures, smooth_pictures])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", OPERATIONS)
def test_equals_torchvision_picture_by_picture(name, channels, make):
    pictures = make(channels=channels)
    before, values = pictures.clone(), values_for(name, len(pictures))
    kinds = torch.full((len(pictures),), OPERATIONS.index(name))
    result = apply_operations(pictures, kinds, values, fill=FILL)
    expected = torch.stack(
        [
            with_torchvision(picture, name, float(value))
            for picture, value in zip(pictures, values, strict=True)
        ]
    )
    assert result.dtype == torch.uint8 and torch.equal(pictures, before)
    off = (result.int() - expected.int()).abs()
    if name in BLENDS:
        assert off.max() <= 1 and (off > 0).float().mean() < 0.01
    else:
        assert torch.equal(result, expected)
    unchanged = name == "Identity" or (name == "Color" and channels == 1)
    if not unchanged and make is random_pictures:  # a ramp is as sharp as it can be
        assert not torch.equal(result, pictures)


def test_a_mixed_batch_is_each_picture_on_its_own():
    pictures = random_pictures(batch=60)
    random = np.random.default_rng(1)
    kinds = torch.from_numpy(random.integers(len(OPERATIONS), size=60))
    values = torch.tensor([float(values_for(OPERATIONS[k], 7)[i % 7]) for i, k in enumerate(kinds)])
    together = apply_operations(pictures, kinds, values, fill=FILL)
    for i in range(60):
        one = slice(i, i + 1)
        alone = apply_operations(pictures[one], kinds[one], values[one], fill=FILL)
        off = (alone[0].int() - together[i].int()).abs()
        assert off.max() <= (1 if OPERATIONS[kinds[i]] == "Contrast" else 0)  # a mean's last bit


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(BLENDS),
    value=st.floats(-0.9, 0.9),
    level=st.integers(0, 255),
    channels=st.sampled_from([1, 3]),
)
def test_what_a_blend_has_nothing_to_change_in_stays_as_it_is(name, value, level, channels):
    # torchvision's order of operations would darken some of these by a level.
    flat = torch.full((2, channels, 8, 8), level, dtype=torch.uint8)
    kinds = torch.full((2,), OPERATIONS.index(name))
    result = apply_operations(flat, kinds, torch.full((2,), value), fill=0)
    slack = 0 if name == "Sharpness" or channels == 1 else 1  # grey weights sum to 0.9999
    assert (result.int() - level).abs().max() <= slack


def test_a_fill_of_its_own_for_each_channel():
    fill = torch.tensor([10.0, 20.4, 30.6]).view(-1, 1, 1)
    kinds = torch.full((2,), OPERATIONS.index("TranslateX"))
    result = apply_operations(random_pictures(2), kinds, torch.tensor([3.0, -3.0]), fill=fill)
    assert (result[0, :, :, :3] == torch.tensor([10, 20, 31]).view(3, 1, 1)).all()
    assert (result[1, :, :, -3:] == torch.tensor([10, 20, 31]).view(3, 1, 1)).all()


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (3, 1, 2, 2), (2, 3, 1, 5)])
def test_empty_batches_and_tiny_pictures(shape):
    pictures = torch.full(shape, 7, dtype=torch.uint8)
    for kind, name in enumerate(OPERATIONS):
        values = values_for(name, 5)[-1].expand(shape[0])
        kinds = torch.full((shape[0],), kind)
        assert apply_operations(pictures, kinds, values, fill=0).shape == shape
