from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.noise.transitions import describe_change, transition_counts, transition_matrix


@given(st.integers(1, 6), st.integers(0, 80), st.integers(0, 2**32))
def test_counts_equal_naive_loop_and_rows_sum_to_one(class_count, count, seed):
    before, after = np.random.default_rng(seed).integers(-1, class_count, (2, count))
    expected = np.zeros((class_count, class_count), dtype=int)
    for one, other in zip(before, after, strict=True):
        if one >= 0 and other >= 0:
            expected[one, other] += 1
    counts = transition_counts(before, after, class_count)
    np.testing.assert_array_equal(counts, expected)
    matrix = transition_matrix(counts)
    present = expected.sum(axis=1) > 0
    np.testing.assert_allclose(matrix[present].sum(axis=1), 1)
    assert (matrix[present] >= 0).all()
    assert np.isnan(matrix[~present]).all()


def test_description_by_hand():
    before = np.array([0, 0, 0, 0, 1, 1, -1])
    after = np.array([0, 0, 0, 1, 0, 0, -1])
    described = describe_change(before, after, ("happy", "sad", "angry"))
    assert described == {
        "compared": 6,
        "changed": 3,
        "rate": 0.5,
        "rate_of_class": {"happy": 0.25, "sad": 1.0, "angry": None},
        "counts": [[3, 1, 0], [2, 0, 0], [0, 0, 0]],
        "transition": [[0.75, 0.25, 0.0], [1.0, 0.0, 0.0], [None, None, None]],
    }
    json.dumps(described, allow_nan=False)


def test_no_rows():
    none = np.array([], dtype=np.int64)
    described = describe_change(none, none, ("happy", "sad"))
    assert described["rate"] is None
    assert described["compared"] == 0


def test_rate_is_the_weighted_mean_of_class_rates():
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 5, (2, 500))
    described = describe_change(before, after, list("abcde"))
    shares = np.bincount(before) / 500
    mean = sum(
        share * rate
        for share, rate in zip(shares, described["rate_of_class"].values(), strict=True)
    )
    assert described["rate"] == pytest.approx(mean)
