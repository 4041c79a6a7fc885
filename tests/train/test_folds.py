import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.train.folds import assign_folds


@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 1000))
def test_folds_are_of_one_size_and_share_every_label(rows, folds, seed):
    folds = min(folds, rows)
    observed = np.random.default_rng(seed).integers(3, size=rows)
    fold = assign_folds(observed, folds, seed)
    sizes = np.bincount(fold, minlength=folds)
    assert sizes.sum() == rows and np.ptp(sizes) <= 1
    for label in range(3):
        assert np.ptp(np.bincount(fold[observed == label], minlength=folds)) <= 1


def test_the_seed_decides_and_one_fold_holds_all():
    observed = np.arange(50) % 3
    np.testing.assert_array_equal(assign_folds(observed, 2, 1), assign_folds(observed, 2, 1))
    assert (assign_folds(observed, 2, 1) != assign_folds(observed, 2, 2)).any()
    assert not assign_folds(observed, 1, 0).any()


@pytest.mark.parametrize("folds", [0, 4])
def test_more_folds_than_rows_are_refused(folds):
    with pytest.raises(ValueError, match="3 rows"):
        assign_folds(np.zeros(3, dtype=int), folds, 0)
