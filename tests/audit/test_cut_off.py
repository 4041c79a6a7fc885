import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ferclean.audit.cut_off import expected_f1_cut_off


def expected_f1(probabilities, called):
    return 2 * probabilities[called].sum() / (called.sum() + probabilities.sum())


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(0.01, 1.0)))
def test_no_other_set_of_rows_has_a_larger_expected_f1(probabilities):
    best = expected_f1(probabilities, probabilities >= expected_f1_cut_off(probabilities))
    rows = len(probabilities)
    for number in range(1, 2**rows):
        called = np.array([number >> row & 1 for row in range(rows)], dtype=bool)
        assert expected_f1(probabilities, called) <= best + 1e-9


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.integers(2, 200), elements=st.floats(0.0, 1.0)))
def test_the_cut_off_lies_at_half_of_the_best_f1(probabilities):
    if probabilities.max() <= 0:
        return
    cut_off = expected_f1_cut_off(probabilities)
    half = expected_f1(probabilities, probabilities >= cut_off) / 2
    below = probabilities[probabilities < cut_off]
    assert cut_off >= half - 1e-9
    assert len(below) == 0 or below.max() <= half + 1e-9


def test_sure_rows_alone_are_called():
    assert expected_f1_cut_off(np.array([1.0, 1.0, 0.0, 0.0])) == 1.0
    assert expected_f1_cut_off(np.array([0.9, 0.05, 0.02])) == pytest.approx(0.9)


def test_without_rows_or_doubt_nothing_is_called():
    for probabilities in (np.zeros(5), np.empty(0)):
        assert expected_f1_cut_off(probabilities) > 1.0
