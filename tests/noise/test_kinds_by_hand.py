"""Every random kind of noise, drawn again by hand from its own streams."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ferclean.config.data import CANONICAL_CLASSES
from ferclean.config.noise import ASYMMETRIC_MAPS, NoiseSettings
from ferclean.noise.inject import inject_noise

CLASSES = len(CANONICAL_CLASSES)
PLACE = {name: code for code, name in enumerate(CANONICAL_CLASSES)}
FER = {PLACE[one]: PLACE[other] for one, other in ASYMMETRIC_MAPS["fer"].items()}


def seed_of(seed, kind, rate, stream):
    digest = hashlib.sha256(f"{kind}\n{rate}\n{stream}".encode()).digest()
    words = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4))
    return np.random.SeedSequence(entropy=seed, spawn_key=words)


def naive_symmetric(codes, rate, generator):
    uniform = generator.random(len(codes))
    offsets = generator.integers(1, CLASSES, len(codes))
    return [
        (code + step) % CLASSES if code >= 0 and chance < rate else code
        for code, chance, step in zip(codes, uniform, offsets, strict=True)
    ]


def naive_inclusive(codes, rate, generator):
    """DivideMix: floor(r N) rows, whichever, get any of all K classes."""
    order = generator.permutation([i for i, code in enumerate(codes) if code >= 0])
    chosen = order[: math.floor(round(rate * len(order), 6))]
    drawn = generator.integers(0, CLASSES, len(chosen))
    found = codes.tolist()
    for row, label in zip(chosen, drawn, strict=True):
        found[row] = label
    return found


def naive_pairflip(codes, rate, generator):
    uniform = generator.random(len(codes))
    return [
        (code + 1) % CLASSES if code >= 0 and chance < rate else code
        for code, chance in zip(codes, uniform, strict=True)
    ]


def naive_asymmetric(codes, rate, generator):
    uniform = generator.random(len(codes))
    return [
        FER[code] if code >= 0 and chance < rate else code
        for code, chance in zip(codes.tolist(), uniform, strict=True)
    ]


NAIVE = {
    "symmetric": naive_symmetric,
    "symmetric_inclusive": naive_inclusive,
    "asymmetric": naive_asymmetric,
    "pairflip": naive_pairflip,
}


def table(seed, rows=90):
    random = np.random.default_rng(seed)
    codes = random.integers(-1, CLASSES, rows)
    return codes, random.choice(["train", "val", "test"], rows, p=[0.6, 0.3, 0.1])


@pytest.mark.parametrize("kind", NAIVE)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), percent=st.integers(0, 100))
def test_each_split_is_drawn_from_its_own_stream_by_its_own_protocol(kind, seed, percent):
    (codes, splits), rate = table(seed), percent / 100
    expected = codes.copy()
    for split in ("train", "val"):
        generator = np.random.default_rng(seed_of(seed, kind, rate, split))
        expected[splits == split] = NAIVE[kind](codes[splits == split], rate, generator)
    found = inject_noise(
        codes,
        splits,
        kind=kind,
        rate=rate,
        seed=seed,
        classes=CANONICAL_CLASSES,
        settings=NoiseSettings(),
    )
    np.testing.assert_array_equal(found, expected)


def naive_instance(codes, splits, pictures, *, rate, spread, seed):
    """Xia et al., Algorithm 2: one W for both splits, pictures standardised by the training ones.

    ``q ~ TruncatedNormal(rate, spread)``, then the new label from ``q softmax(x W_y without y)``.
    """
    training = pictures[splits == "train"].astype(float)
    scaled = (pictures - training.mean(axis=(0, 1, 2))) / training.std(axis=(0, 1, 2))
    shared, found = seed_of(seed, "instance", rate, "shared"), codes.copy()
    for split in ("train", "val"):
        rows = np.flatnonzero(splits == split)
        generator = np.random.default_rng(seed_of(seed, "instance", rate, split))
        uniform, flips, picks = (generator.random(len(rows)) for _ in range(3))
        ends = (0 - rate) / spread, (1 - rate) / spread
        limits = stats.truncnorm(*ends, loc=rate, scale=spread).ppf(uniform)
        for i, row in enumerate(rows):
            label = int(codes[row])
            if label < 0 or flips[i] >= limits[i]:
                continue
            own = np.random.SeedSequence(shared.entropy, spawn_key=(*shared.spawn_key, label))
            x = scaled[row].ravel()
            scores = x @ np.random.default_rng(own).standard_normal((len(x), CLASSES))
            others = [k for k in range(CLASSES) if k != label]
            chances = np.exp(scores[others] - scores[others].max())
            place = np.searchsorted(np.cumsum(chances / chances.sum()), picks[i], side="right")
            found[row] = others[int(place)]
    return found


@pytest.mark.parametrize("spread", [0.1, 0.4])
def test_instance_noise_shares_its_matrices_and_the_training_statistics(spread):
    codes, splits = table(1, rows=300)
    random = np.random.default_rng(2)
    pictures = random.integers(0, 120, (300, 3, 3, 2), dtype=np.uint8)
    pictures[splits != "train"] += 120  # other statistics would give other labels
    found = inject_noise(
        codes,
        splits,
        kind="instance",
        rate=0.3,
        seed=4,
        classes=CANONICAL_CLASSES,
        settings=NoiseSettings(instance_spread=spread),
        pictures=pictures,
    )
    expected = naive_instance(codes, splits, pictures, rate=0.3, spread=spread, seed=4)
    np.testing.assert_array_equal(found, expected)
    changed = found != codes
    assert all(changed[splits == split].sum() > 15 for split in ("train", "val"))
