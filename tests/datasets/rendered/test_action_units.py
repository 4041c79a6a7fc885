from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.config.data import CANONICAL_CLASSES
from ferclean.datasets.rendered.action_units import (
    ACTION_UNITS,
    EXPRESSIONS,
    check_expressions,
    draw_intensities,
    expression_vector,
    expressive,
)
from ferclean.errors import FercleanError

NUMBERS = list(ACTION_UNITS)


def test_every_canonical_class_has_its_emfacs_set():
    assert EXPRESSIONS == {
        "happy": (6, 12),
        "sad": (1, 4, 15),
        "surprised": (1, 2, 5, 26),
        "fear": (1, 2, 4, 5, 7, 20, 26),
        "angry": (4, 5, 7, 23),
        "disgusted": (9, 15, 16),
        "neutral": (),
    }
    assert set(EXPRESSIONS) == set(CANONICAL_CLASSES)


def test_expression_vector_marks_exactly_the_units_of_the_set():
    for name, units in EXPRESSIONS.items():
        marked = {NUMBERS[i] for i in np.flatnonzero(expression_vector(name))}
        assert marked == set(units)


def test_neutral_cannot_be_mixed():
    assert expressive(CANONICAL_CLASSES) == [c for c in CANONICAL_CLASSES if c != "neutral"]


def test_a_class_without_units_is_named():
    with pytest.raises(FercleanError, match="'contempt'"):
        check_expressions(("happy", "contempt"))


@given(st.sampled_from(CANONICAL_CLASSES), st.integers(0, 2**32 - 1))
def test_pure_expressions_show_their_units_and_little_else(name, seed):
    drawn = draw_intensities({name: 1.0}, np.random.default_rng(seed))
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    inside = expression_vector(name) == 1
    assert np.all(drawn[inside] > 0.5)
    may_part = np.array([number == 25 for number in NUMBERS])
    assert np.all(drawn[~inside & ~may_part] < 0.35)


def test_a_compound_shows_both_sets_in_the_ratio_of_their_weights():
    rows = [
        draw_intensities({"surprised": 0.6, "happy": 0.4}, np.random.default_rng(seed))
        for seed in range(400)
    ]
    mean = dict(zip(NUMBERS, np.mean(rows, axis=0), strict=True))
    for surprised_unit in (1, 2, 5, 26):
        for happy_unit in (6, 12):
            assert mean[happy_unit] / mean[surprised_unit] == pytest.approx(4 / 6, rel=0.03)


def test_lips_part_with_a_smile_only():
    for seed in range(40):
        smile = draw_intensities({"happy": 1.0}, np.random.default_rng(seed))
        parted = smile[NUMBERS.index(25)]
        assert parted < 0.2 or parted == smile[NUMBERS.index(12)]
        assert draw_intensities({"sad": 1.0}, np.random.default_rng(seed))[NUMBERS.index(25)] < 0.2
