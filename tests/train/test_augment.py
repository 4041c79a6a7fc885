import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ferclean.config.training import AugmentSettings
from ferclean.errors import FercleanError
from ferclean.train.augment import (
    Augmentation,
    apply_augmentation,
    augment,
    draw_augmentation,
    normalise,
)

NOTHING = AugmentSettings(flip=False, shift=0, erase=0.0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random_pictures(batch=6, channels=3, height=9, width=11, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (batch, channels, height, width))
    return torch.from_numpy(values.astype(np.uint8))


def reflected(position, size):
    """Index into 0..size-1 of a position that may lie outside, mirrored at the border pixel."""
    position = abs(position)
    return position if position < size else 2 * (size - 1) - position


def naive(pictures, draws, fill):
    """Pixel by pixel what the draws say."""
    batch, channels, height, width = pictures.shape
    result = torch.empty_like(pictures)
    for b in range(batch):
        for row in range(height):
            for column in range(width):
                x = width - 1 - column if draws.flip is not None and draws.flip[b] else column
                y = row
                if draws.corner is not None:
                    y = reflected(y + int(draws.corner[0][b]) - draws.shift, height)
                    x = reflected(x + int(draws.corner[1][b]) - draws.shift, width)
                erased = False
                if draws.box is not None:
                    top, left, tall, wide = (int(part[b]) for part in draws.box)
                    erased = top <= row < top + tall and left <= column < left + wide
                for c in range(channels):
                    result[b, c, row, column] = fill if erased else pictures[b, c, y, x]
    return result


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(0, 4),
    channels=st.sampled_from([1, 3]),
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    shift=st.integers(0, 2),
    flip=st.booleans(),
    erase=st.sampled_from([0.0, 0.5, 1.0]),
    as_float=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_batch_equals_pixelwise_loop(
    batch, channels, height, width, shift, flip, erase, as_float, seed
):
    chosen = AugmentSettings(flip=flip, shift=shift, erase=erase, erase_area=(0.1, 0.5))
    pictures = random_pictures(batch, channels, height, width, seed=seed)
    pictures = pictures.float() if as_float else pictures
    draws = draw_augmentation(
        batch, height=height, width=width, settings=chosen, generator=generator(seed)
    )
    result = augment(pictures, settings=chosen, generator=generator(seed), fill=100.0)
    assert result.dtype == pictures.dtype
    assert torch.equal(result, naive(pictures, draws, 100.0))


@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("zero", "constant")])
def test_equals_torchvision_picture_by_picture(padding, mode):
    v2 = pytest.importorskip("torchvision.transforms.v2.functional")
    pictures = random_pictures(32, 3, 12, 10)
    chosen = AugmentSettings(flip=True, shift=4, padding=padding, erase=0.6)
    draws = draw_augmentation(32, height=12, width=10, settings=chosen, generator=generator())
    assert draws.flip.any() and not draws.flip.all()
    assert (draws.box[2] > 0).any() and not (draws.box[2] > 0).all()
    result = apply_augmentation(pictures, draws, fill=7)
    for b, picture in enumerate(pictures):
        # torchvision reflects float pictures only
        padded = v2.pad(picture.float(), [4, 4, 4, 4], padding_mode=mode).to(torch.uint8)
        expected = v2.crop(padded, int(draws.corner[0][b]), int(draws.corner[1][b]), 12, 10)
        expected = v2.hflip(expected) if draws.flip[b] else expected
        box = [int(part[b]) for part in draws.box]
        expected = v2.erase(expected, *box, torch.tensor(7, dtype=torch.uint8))
        assert torch.equal(result[b], expected)


def test_nothing_switched_on_changes_nothing():
    pictures = random_pictures()
    assert torch.equal(augment(pictures, settings=NOTHING, generator=generator()), pictures)


def test_centre_window_is_identity():
    pictures = random_pictures(2)
    centre = torch.full((2,), 3)
    draws = Augmentation(3, "reflect", (centre, centre), torch.zeros(2, dtype=torch.bool), None)
    assert torch.equal(apply_augmentation(pictures, draws), pictures)


def test_input_is_not_changed():
    for pictures in (random_pictures(), random_pictures().float()):
        before = pictures.clone()
        chosen = AugmentSettings(flip=True, shift=3, erase=1.0)
        augment(pictures, settings=chosen, generator=generator())
        normalise(pictures, mean=0.5, scale=0.25)
        assert torch.equal(pictures, before)


def test_memory_layout_does_not_matter():
    pictures = random_pictures(8, 3, 16, 16)
    chosen = AugmentSettings(erase=0.5)
    rows = augment(pictures, settings=chosen, generator=generator(3))
    channels_last = pictures.to(memory_format=torch.channels_last)
    assert torch.equal(augment(channels_last, settings=chosen, generator=generator(3)), rows)


def test_generator_decides_everything():
    pictures = random_pictures(64, 1, 16, 16)
    chosen = AugmentSettings(erase=0.5)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = augment(pictures, settings=chosen, generator=generator(5))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(augment(pictures, settings=chosen, generator=generator(5)), first)
    assert not torch.equal(augment(pictures, settings=chosen, generator=generator(6)), first)


def test_successive_calls_and_samples_differ():
    one = random_pictures(1, 1, 16, 16).expand(64, -1, -1, -1)
    stream = generator()
    first = augment(one, settings=AugmentSettings(), generator=stream)
    second = augment(one, settings=AugmentSettings(), generator=stream)
    assert not torch.equal(first, second)
    assert len(torch.unique(first.flatten(1), dim=0)) > 30


def test_flips_and_shifts_are_uniform_and_independent():
    batch, shift = 20_000, 2
    draws = draw_augmentation(
        batch,
        height=20,
        width=20,
        settings=AugmentSettings(shift=shift),
        generator=generator(),
    )
    cell = (draws.corner[0] * 5 + draws.corner[1]) * 2 + draws.flip
    counts = torch.bincount(cell, minlength=50).numpy()
    assert len(counts) == 50
    assert stats.chisquare(counts).pvalue > 1e-3


def test_erased_share_and_area():
    height, width, batch = 48, 40, 20_000
    chosen = AugmentSettings(erase=0.3, erase_area=(0.05, 0.2))
    draws = draw_augmentation(
        batch, height=height, width=width, settings=chosen, generator=generator()
    )
    top, left, tall, wide = draws.box
    erased = tall > 0
    assert stats.binomtest(int(erased.sum()), batch, 0.3).pvalue > 1e-3
    assert torch.equal(erased, wide > 0)
    assert (top >= 0).all() and (left >= 0).all()
    assert (top + tall <= height).all() and (left + wide <= width).all()
    share = (tall * wide)[erased] / (height * width)
    # Sides are rounded to whole pixels, so the area may leave its range by half a side each.
    slack = 0.5 * (tall + wide + 1)[erased] / (height * width)
    assert (share + slack >= 0.05).all() and (share - slack <= 0.2).all()
    assert 0.11 < share.mean() < 0.14


def test_boxes_are_distributed_as_in_torchvision():
    transforms = pytest.importorskip("torchvision.transforms")
    picture = torch.zeros(1, 48, 48)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        theirs = [
            transforms.RandomErasing.get_params(picture, (0.02, 0.6), (0.3, 3.3), [0.0])[:4]
            for _ in range(3000)
        ]
    chosen = AugmentSettings(erase=1.0, erase_area=(0.02, 0.6))
    ours = draw_augmentation(3000, height=48, width=48, settings=chosen, generator=generator()).box
    for mine, others in zip(ours, np.array(theirs).T, strict=True):
        assert stats.ks_2samp(mine.numpy(), others).pvalue > 1e-3


def test_rectangles_that_cannot_fit_erase_nothing():
    chosen = AugmentSettings(flip=False, shift=0, erase=1.0, erase_area=(1.0, 1.0))
    pictures = random_pictures(50)
    assert torch.equal(augment(pictures, settings=chosen, generator=generator()), pictures)


def test_fill_becomes_zero_after_normalising():
    chosen = AugmentSettings(flip=False, shift=0, erase=1.0)
    white = torch.full((20, 1, 48, 48), 255.0)
    result = augment(white, settings=chosen, generator=generator(), fill=255 * 0.4)
    values = normalise(result, mean=0.4, scale=0.2).unique()
    assert len(values) == 2
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[1] == pytest.approx(3.0)


@pytest.mark.parametrize("size", [(5, 9), (9, 5)])
def test_shift_as_large_as_the_picture_is_refused(size):
    pictures = random_pictures(2, 1, *size)
    with pytest.raises(FercleanError, match=r"training\.augment\.shift must be below .* 5 pixels"):
        augment(pictures, settings=AugmentSettings(shift=5), generator=generator())
    largest = AugmentSettings(shift=4)
    assert augment(pictures, settings=largest, generator=generator()).shape == pictures.shape


@given(mean=st.floats(0, 1), scale=st.floats(0.05, 2))
def test_normalise_equals_formula(mean, scale):
    levels = torch.arange(256, dtype=torch.uint8)
    expected = np.array([(value / 255 - mean) / scale for value in range(256)])
    result = normalise(levels, mean=mean, scale=scale)
    assert result.dtype == torch.float32
    np.testing.assert_allclose(result.numpy(), expected, atol=4e-6 / scale, rtol=0)
    np.testing.assert_array_equal(result, normalise(levels.float(), mean=mean, scale=scale))


def test_normalise_keeps_memory_layout():
    pictures = random_pictures(2, 3, 8, 8).to(memory_format=torch.channels_last)
    result = normalise(pictures, mean=0.5, scale=0.25)
    assert result.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_does_what_the_draws_say():
    pictures = random_pictures(64, 3, 24, 24)
    chosen = AugmentSettings(erase=0.5)
    stream = torch.Generator(device="cuda").manual_seed(0)
    draws = draw_augmentation(64, height=24, width=24, settings=chosen, generator=stream)
    on_gpu = apply_augmentation(pictures.cuda(), draws, fill=9)
    on_cpu = Augmentation(
        draws.shift,
        draws.padding,
        tuple(part.cpu() for part in draws.corner),
        draws.flip.cpu(),
        tuple(part.cpu() for part in draws.box),
    )
    assert torch.equal(on_gpu.cpu(), apply_augmentation(pictures, on_cpu, fill=9))
    assert math.isfinite(float(on_gpu.float().mean()))


def test_each_channel_has_its_own_mean_scale_and_fill():
    pictures = random_pictures(4, 3, 8, 8)
    mean, scale = torch.tensor([0.1, 0.4, 0.7]), torch.tensor([0.2, 0.3, 0.5])
    result = normalise(pictures, mean=mean.view(-1, 1, 1), scale=scale.view(-1, 1, 1))
    for c in range(3):
        expected = (pictures[:, c].float() / 255 - mean[c]) / scale[c]
        torch.testing.assert_close(result[:, c], expected)
    chosen = AugmentSettings(flip=False, shift=0, erase=1.0, erase_area=(0.2, 0.25))
    fill = torch.tensor([10.0, 100.0, 200.0]).view(-1, 1, 1)
    grey = torch.full((16, 3, 8, 8), 50, dtype=torch.uint8)
    erased = augment(grey, settings=chosen, generator=generator(), fill=fill)
    assert [set(erased[:, c].unique().tolist()) for c in range(3)] == [
        {10, 50},
        {50, 100},
        {50, 200},
    ]
