from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ferclean.datasets import near
from ferclean.datasets.fingerprints import Fingerprints, fingerprint
from ferclean.datasets.near import near_pairs
from fixtures.picture_files import smooth_pixels


def all_pairs(hashes: list[int], distance: int) -> list[tuple[int, int, int]]:
    return [
        (i, j, (hashes[i] ^ hashes[j]).bit_count())
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (hashes[i] ^ hashes[j]).bit_count() <= distance
    ]


def same_thumbnails(rows: int) -> np.ndarray:
    return np.tile(smooth_pixels(0, 16)[..., 0].ravel(), (rows, 1))


def found(hashes: list[int], thumbnails: np.ndarray, distance: int) -> list[tuple[int, int, int]]:
    pairs = near_pairs(np.array(hashes, dtype=np.uint64), thumbnails, distance=distance)
    assert pairs.complete
    return list(
        zip(pairs.first.tolist(), pairs.second.tolist(), pairs.distance.tolist(), strict=True)
    )


@settings(max_examples=80, deadline=None)
@given(data=st.data(), distance=st.integers(0, 3))
def test_the_search_finds_exactly_what_comparing_all_pairs_finds(data, distance):
    centre = data.draw(st.integers(0, 2**64 - 1))
    flips = st.lists(st.integers(0, 63), max_size=4)
    hashes = [
        centre ^ sum({1 << bit for bit in bits})
        for bits in data.draw(st.lists(flips, min_size=1, max_size=25))
    ]
    assert found(hashes, same_thumbnails(len(hashes)), distance) == all_pairs(hashes, distance)


def test_random_hashes_have_the_pairs_that_were_planted():
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, 3000, dtype=np.uint64)
    hashes[2000] = hashes[10] ^ np.uint64(1 << 63 | 1 << 31 | 1)
    hashes[5] = hashes[2999]
    assert found(hashes.tolist(), same_thumbnails(3000), 3) == [(5, 2999, 0), (10, 2000, 3)]


def test_equal_hashes_of_other_pictures_are_not_believed():
    thumbnails = np.stack([smooth_pixels(seed, 16)[..., 0].ravel() for seed in (1, 2)])
    assert found([7, 7], thumbnails, 3) == []


def test_flat_pictures_are_left_out():
    noise = np.random.default_rng(0).integers(128, 130, (50, 256)).astype(np.uint8)
    assert found([0] * 50, noise, 3) == []


def test_an_overfull_bucket_is_said_so(monkeypatch):
    monkeypatch.setattr(near, "LARGEST_BUCKET", 5)
    pairs = near_pairs(np.zeros(8, np.uint64), same_thumbnails(8), distance=0)
    assert not pairs.complete
    assert len(pairs.first) == sum(8 - offset for offset in range(1, 6))


def test_nothing_and_one_have_no_pairs():
    assert found([], np.zeros((0, 256), np.uint8), 3) == []
    assert found([5], same_thumbnails(1), 3) == []
    with pytest.raises(ValueError, match="one thumbnail a hash"):
        near_pairs(np.zeros(2, np.uint64), same_thumbnails(1), distance=0)


def changed(pixels: np.ndarray, change: str) -> np.ndarray:
    image = Image.fromarray(pixels)
    if change == "jpeg":
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=60)
        image = Image.open(stream)
    elif change == "half size":
        image = image.resize((48, 48), Image.Resampling.BICUBIC)
    elif change == "brighter":
        image = image.point(lambda value: min(255, value + 20))
    return np.asarray(image)


@pytest.mark.parametrize("change", ["jpeg", "half size", "brighter"])
def test_changed_copies_are_near_and_other_pictures_are_not(change):
    originals = [smooth_pixels(seed, side=96) for seed in range(40)]
    pictures = originals + [changed(originals[seed], change) for seed in range(3)]
    prints = Fingerprints.empty(len(pictures))
    for row, pixels in enumerate(pictures):
        prints.put(row, fingerprint(pixels))
    pairs = near_pairs(prints.perceptual, prints.thumbnail, distance=3)
    assert list(zip(pairs.first, pairs.second, strict=True)) == [(0, 40), (1, 41), (2, 42)]


def test_the_digest_knows_the_shape():
    pixels = np.zeros((2, 8, 3), np.uint8)
    assert fingerprint(pixels).sha256 != fingerprint(pixels.reshape(4, 4, 3)).sha256
    assert fingerprint(pixels).sha256 == fingerprint(pixels.copy()).sha256
    assert (fingerprint(pixels).width, fingerprint(pixels).height) == (8, 2)


def test_the_hash_agrees_with_a_plain_one():
    pixels = smooth_pixels(4, side=72)[:, :72]
    grey = np.asarray(Image.fromarray(pixels).convert("L"), dtype=float)
    cells = grey.reshape(8, 9, 9, 8).mean(axis=(1, 3))  # 8 rows of 9 cells
    bits = [cells[y, x + 1] > cells[y, x] for y in range(8) for x in range(8)]
    expected = int("".join("1" if bit else "0" for bit in bits), 2)
    # Rounding to whole grey levels may turn a near tie.
    assert (fingerprint(pixels).perceptual ^ expected).bit_count() <= 2
