import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.partition.balance import balanced_rows


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 200), st.integers(0, 9))
def test_every_class_that_occurs_stands_equally_often(labels, total, seed):
    labels = np.array(labels)
    rows = 100 + np.arange(len(labels))
    found = balanced_rows(rows, labels, total, np.random.default_rng(seed))
    assert len(found) == total and set(found) <= set(rows)
    counts = np.array([np.isin(found, rows[labels == k]).sum() for k in np.unique(labels)])
    assert np.ptp(counts) <= 1
    for label in np.unique(labels):  # and within a class every row
        own = [np.count_nonzero(found == row) for row in rows[labels == label]]
        assert np.ptp(own) <= 1


@pytest.mark.parametrize("total", range(3, 10))
def test_the_first_classes_have_one_more_row_and_classes_stand_in_order(total):
    labels = np.array([4, 1, 2, 1, 1, 4, 2, 2])
    found = balanced_rows(np.arange(8), labels, total, np.random.default_rng(0))
    sizes = {label: total // 3 + (place < total % 3) for place, label in enumerate((1, 2, 4))}
    assert labels[found].tolist() == [label for label in sizes for _ in range(sizes[label])]


def test_which_rows_are_repeated_is_drawn():
    rows, labels = np.arange(50), np.repeat([0, 1], [45, 5])
    first, again, other = (
        balanced_rows(rows, labels, 40, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


@pytest.mark.parametrize("labels", [[], [1, 2]])
def test_rows_and_labels_must_fit(labels):
    rows = np.arange(0 if not labels else 3)
    with pytest.raises(ValueError, match="as many rows as labels"):
        balanced_rows(rows, np.array(labels, dtype=int), 10, np.random.default_rng(0))
