import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import normalize

from ferclean.partition import vectors
from ferclean.partition.vectors import row_chunks, unit_rows


@given(st.integers(0, 20), st.integers(1, 6), st.integers(0, 1000))
def test_unit_rows_are_scikit_learns(rows, width, seed):
    points = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    found = unit_rows(points)
    assert found.dtype == np.float64 and found.shape == points.shape
    if rows:
        np.testing.assert_allclose(found, normalize(points.astype(float)), atol=1e-12)


def test_a_row_of_zeros_stays_so():
    assert unit_rows(np.array([[0, 0], [3, 4]])).tolist() == [[0.0, 0.0], [0.6, 0.8]]


@given(st.integers(0, 50), st.integers(0, 30), st.integers(1, 40))
def test_chunks_cover_every_row_once_and_hold_no_more_than_they_may(rows, width, most):
    whole, vectors._CHUNK_VALUES = vectors._CHUNK_VALUES, most
    try:
        parts = list(row_chunks(rows, width))
    finally:
        vectors._CHUNK_VALUES = whole
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(rows))
    for part in parts:
        held = part.stop - part.start
        assert held >= 1 and (held == 1 or held * width <= most)
