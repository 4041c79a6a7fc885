from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.train.passes import Stream, count_steps, walk_forever, walk_once


def stream(rows, size):
    return Stream("x", np.arange(rows), size)


@given(st.integers(0, 60), st.integers(1, 17), st.integers(0, 99))
def test_a_walk_sees_every_row_once_but_for_a_lonely_last_one(rows, size, seed):
    batches = list(walk_once(stream(rows, size), np.random.default_rng(seed)))
    assert len(batches) == count_steps(stream(rows, size))
    seen = np.concatenate(batches) if batches else np.empty(0)
    assert len(np.unique(seen)) == len(seen)
    lonely = rows % size == 1 and rows > 1 and size > 1
    assert len(seen) == rows - lonely


def test_a_single_row_is_still_a_batch():
    assert [b.tolist() for b in walk_once(stream(1, 8), np.random.default_rng(0))] == [[0]]


@given(st.integers(1, 20), st.integers(1, 30))
def test_an_endless_walk_gives_full_batches_and_uses_all_rows_equally(rows, size):
    taken = list(islice(walk_forever(stream(rows, size), np.random.default_rng(0)), 3 * rows))
    assert all(len(batch) == size for batch in taken)
    counts = np.bincount(np.concatenate(taken), minlength=rows)
    assert np.ptp(counts) <= 1


def test_same_generator_seed_same_order():
    first, second = (
        np.concatenate(list(walk_once(stream(30, 4), np.random.default_rng(3)))) for _ in range(2)
    )
    assert first.tolist() == second.tolist()
    assert first.tolist() != pytest.approx(range(30))
