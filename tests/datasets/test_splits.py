from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ferclean.datasets.splits import hold_out


@given(
    arrays(np.int64, st.integers(0, 80), elements=st.integers(0, 4)),
    st.floats(0, 0.99),
    st.integers(0, 5),
)
def test_each_class_gives_its_share_and_keeps_a_row(labels, fraction, seed):
    held_out = hold_out(labels, fraction=fraction, seed=seed)
    np.testing.assert_array_equal(held_out, hold_out(labels, fraction=fraction, seed=seed))
    for code in np.unique(labels):
        rows = labels == code
        assert held_out[rows].sum() == min(round(fraction * rows.sum()), rows.sum() - 1)


def test_another_seed_draws_other_rows():
    labels = np.zeros(1000, np.int64)
    one, two = (hold_out(labels, fraction=0.3, seed=seed) for seed in (0, 1))
    assert one.sum() == two.sum() == 300 and (one != two).any()


def test_the_whole_is_no_share():
    with pytest.raises(ValueError, match="fraction"):
        hold_out(np.zeros(3, np.int64), fraction=1.0, seed=0)


@given(
    arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 3)),
    st.floats(0, 0.99),
    st.integers(0, 5),
    st.integers(1, 30),
)
def test_groups_stay_together_and_no_class_gives_more_than_its_share(labels, fraction, seed, count):
    groups = np.random.default_rng(seed).integers(count, size=len(labels))
    held_out = hold_out(labels, fraction=fraction, seed=seed, groups=groups)
    for group in np.unique(groups):
        assert held_out[groups == group].all() or not held_out[groups == group].any()
    left = {
        code: min(round(fraction * (labels == code).sum()), (labels == code).sum() - 1)
        - held_out[labels == code].sum()
        for code in np.unique(labels)
    }
    assert min(left.values()) >= 0
    for group in np.unique(groups[~held_out]):  # none is left that would still fit
        rows = (groups == group) & ~held_out
        assert any((rows & (labels == code)).sum() > left[code] for code in np.unique(labels))


def test_groups_of_one_row_give_the_whole_share():
    labels = np.repeat([0, 1], [200, 100])
    groups = np.random.default_rng(3).permutation(300)
    held_out = hold_out(labels, fraction=0.2, seed=0, groups=groups)
    assert held_out[labels == 0].sum() == 40 and held_out[labels == 1].sum() == 20
