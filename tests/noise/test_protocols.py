"""The protocols against naive loops, and the pitfalls of published noise code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.noise.protocols import (
    class_conditional,
    pairflip_targets,
    symmetric,
    symmetric_inclusive,
)

CIFAR10_TARGETS = np.array([0, 1, 0, 5, 7, 3, 6, 7, 8, 1])


def _generator(seed=0):
    return np.random.default_rng(seed)


def _labels(count, classes, seed=1):
    return np.random.default_rng(seed).integers(0, classes, count)


def naive_symmetric(codes, class_count, rate, generator):
    uniform = generator.random(len(codes))
    offsets = generator.integers(1, class_count, len(codes))
    observed = []
    for code, chance, offset in zip(codes, uniform, offsets, strict=True):
        others = [(code + k) % class_count for k in range(1, class_count)]
        observed.append(others[offset - 1] if code >= 0 and chance < rate else code)
    return np.array(observed)


@given(st.integers(2, 9), st.floats(0, 1), st.integers(0, 60), st.integers(0, 2**32), st.booleans())
def test_symmetric_equals_naive_loop(class_count, rate, count, seed, some_missing):
    codes = _labels(count, class_count, seed)
    if some_missing:
        codes[::3] = -1
    observed = symmetric(codes, class_count, rate=rate, generator=_generator(seed))
    np.testing.assert_array_equal(
        observed, naive_symmetric(codes, class_count, rate, _generator(seed))
    )


@given(st.integers(2, 9), st.integers(0, 2**32))
def test_symmetric_at_rate_one_never_keeps_a_label(class_count, seed):
    codes = _labels(200, class_count, seed)
    observed = symmetric(codes, class_count, rate=1.0, generator=_generator(seed))
    assert (observed != codes).all()
    assert ((observed >= 0) & (observed < class_count)).all()


@settings(max_examples=25)
@given(st.floats(0, 1), st.integers(0, 2**32))
def test_symmetric_rate_lies_within_binomial_bounds(rate, seed):
    count = 4000
    codes = _labels(count, 7, seed)
    changed = (symmetric(codes, 7, rate=rate, generator=_generator(seed)) != codes).sum()
    # Six standard deviations and a half count: one failure in 500 million draws.
    assert abs(changed - rate * count) <= 6 * np.sqrt(count * rate * (1 - rate)) + 1


def test_symmetric_spreads_evenly_over_the_other_classes():
    codes = np.zeros(60_000, dtype=np.int64)
    observed = symmetric(codes, 7, rate=0.6, generator=_generator())
    counts = np.bincount(observed, minlength=7)[1:]
    assert np.abs(counts - 6000).max() < 6 * np.sqrt(6000)


def test_symmetric_noise_of_a_row_does_not_depend_on_other_labels():
    codes = _labels(300, 7)
    changed = codes.copy()
    changed[17] = (changed[17] + 2) % 7
    one = symmetric(codes, 7, rate=0.5, generator=_generator())
    two = symmetric(changed, 7, rate=0.5, generator=_generator())
    np.testing.assert_array_equal(np.delete(one, 17), np.delete(two, 17))


@given(st.integers(1, 9), st.integers(0, 300), st.integers(0, 100), st.integers(0, 2**32))
def test_inclusive_touches_at_most_the_floor_of_rate_times_rows(class_count, count, percent, seed):
    class_count = max(class_count, 2)
    codes = _labels(count, class_count, seed)
    observed = symmetric_inclusive(
        codes, class_count, rate=percent / 100, generator=_generator(seed)
    )
    assert (observed != codes).sum() <= percent * count // 100


def test_inclusive_redraws_exactly_the_chosen_number():
    class Recorder:
        def __init__(self):
            self.generator, self.drawn = _generator(), None

        def permutation(self, rows):
            return self.generator.permutation(rows)

        def integers(self, low, high, count):
            self.drawn = count
            return self.generator.integers(low, high, count)

    recorder = Recorder()
    symmetric_inclusive(np.zeros(100, dtype=np.int64), 10, rate=0.29, generator=recorder)
    assert recorder.drawn == 29  # 0.29 * 100 is 28.999999999999996


@pytest.mark.parametrize(("class_count", "expected"), [(10, 0.45), (100, 0.495)])
def test_inclusive_half_changes_less_than_half(class_count, expected):
    codes = _labels(40_000, class_count)
    observed = symmetric_inclusive(codes, class_count, rate=0.5, generator=_generator())
    assert (observed != codes).mean() == pytest.approx(expected, abs=0.012)


def test_forty_percent_asymmetric_changes_a_fifth_of_cifar10():
    codes = np.tile(np.arange(10), 5000)
    observed = class_conditional(codes, CIFAR10_TARGETS, rate=0.4, generator=_generator())
    affected = CIFAR10_TARGETS[codes] != codes
    assert (observed != codes)[affected].mean() == pytest.approx(0.4, abs=0.02)
    assert (observed != codes).mean() == pytest.approx(0.2, abs=0.01)
    np.testing.assert_array_equal(observed[~affected], codes[~affected])


@given(st.integers(1, 8), st.floats(0, 1), st.integers(0, 2**32))
def test_class_conditional_equals_naive_loop(class_count, rate, seed):
    codes = np.random.default_rng(seed).integers(-1, class_count, 80)
    targets = np.random.default_rng(seed + 1).integers(0, class_count, class_count)
    uniform = _generator(seed).random(80)
    expected = [
        targets[code] if code >= 0 and chance < rate else code
        for code, chance in zip(codes, uniform, strict=True)
    ]
    observed = class_conditional(codes, targets, rate=rate, generator=_generator(seed))
    np.testing.assert_array_equal(observed, expected)


def test_pairflip_goes_to_the_next_class():
    codes = np.arange(100)
    observed = class_conditional(codes, pairflip_targets(100), rate=1.0, generator=_generator())
    np.testing.assert_array_equal(observed, (codes + 1) % 100)


def test_two_classes_symmetric_and_pairflip_agree_at_rate_one():
    codes = np.array([0, 1, 1, 0, -1])
    expected = [1, 0, 0, 1, -1]
    flipped = class_conditional(codes, pairflip_targets(2), rate=1.0, generator=_generator())
    assert flipped.tolist() == expected
    assert symmetric(codes, 2, rate=1.0, generator=_generator()).tolist() == expected


@pytest.mark.parametrize("protocol", [symmetric, symmetric_inclusive])
def test_degenerate_inputs(protocol):
    none = np.array([], dtype=np.int64)
    assert len(protocol(none, 7, rate=0.5, generator=_generator())) == 0
    codes = np.array([0, 3, -1, 6])
    np.testing.assert_array_equal(protocol(codes, 7, rate=0.0, generator=_generator()), codes)
    missing = np.full(5, -1)
    np.testing.assert_array_equal(protocol(missing, 7, rate=1.0, generator=_generator()), missing)
    one_class = np.zeros(4, dtype=np.int64)
    np.testing.assert_array_equal(protocol(one_class, 1, rate=0.0, generator=_generator()), 0)
    with pytest.raises(ValueError, match="at least two classes"):
        protocol(one_class, 1, rate=0.1, generator=_generator())


@pytest.mark.parametrize("protocol", [symmetric, symmetric_inclusive])
@pytest.mark.parametrize(
    ("codes", "rate", "message"),
    [([0, 7], 0.1, "codes must lie"), ([-2, 0], 0.1, "codes must lie"), ([0], 1.5, "rate")],
)
def test_wrong_inputs_are_refused(protocol, codes, rate, message):
    with pytest.raises(ValueError, match=message):
        protocol(np.array(codes), 7, rate=rate, generator=_generator())


def test_input_codes_are_left_alone():
    codes = _labels(50, 7)
    before = codes.copy()
    symmetric_inclusive(codes, 7, rate=1.0, generator=_generator())
    symmetric(codes, 7, rate=1.0, generator=_generator())
    np.testing.assert_array_equal(codes, before)
