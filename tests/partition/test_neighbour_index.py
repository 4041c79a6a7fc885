import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from ferclean.errors import FercleanError
from ferclean.partition import neighbour_index as module
from ferclean.partition.neighbour_index import indexed_neighbours
from ferclean.partition.neighbour_search import comparable, exact_neighbours

METRICS = ("cosine", "euclidean")


def grouped(rows: int, width: int, groups: int = 20) -> np.ndarray:
    """Rows in groups, spread within a group along few directions, as features are."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(groups, width))
    directions = random.normal(size=(groups, 4, width)) / 3
    group = random.integers(groups, size=rows)
    spread = np.einsum("ni,nid->nd", random.normal(size=(rows, 4)), directions[group])
    return (centres[group] + spread + 0.05 * random.normal(size=(rows, width))).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("width", "count"), [(128, 10), (70, 10), (128, 100), (30, 10), (3, 5)])
def test_almost_all_neighbours_are_found_at_their_exact_distance(metric, width, count):
    points = grouped(3000, width)
    near, distance = indexed_neighbours(points, count, metric=metric)
    between = cdist(points, points, metric)
    np.fill_diagonal(between, np.inf)
    np.testing.assert_allclose(distance, np.take_along_axis(between, near, 1), atol=3e-6)
    true = np.argsort(between, axis=1)[:, :count]
    shared = [len(np.intersect1d(*pair)) / count for pair in zip(near, true, strict=True)]
    assert np.mean(shared) > 0.95
    assert (near.dtype, distance.dtype) == (np.int32, np.float32)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60), st.integers(1, 70), st.sampled_from(METRICS), st.integers(0, 1000))
def test_every_row_gets_other_rows_nearest_first(rows, count, metric, seed):
    points = np.random.default_rng(seed).integers(0, 2, size=(rows, 3))  # many duplicates
    count = min(count, rows - 1)
    near, distance = indexed_neighbours(points, count, metric=metric)
    for row, found in enumerate(near):
        assert row not in found and len(set(found)) == count
    assert np.isfinite(distance).all()
    assert (np.diff(distance, axis=1) >= 0).all()


def test_long_vectors_that_are_all_alike_have_neighbours():
    near, distance = indexed_neighbours(np.ones((300, 80)), 20, metric="euclidean")
    assert (distance == 0).all()
    assert all(len(set(row)) == 20 for row in near.tolist())


@pytest.mark.parametrize("metric", METRICS)
def test_rows_whose_cells_hold_too_few_others_are_compared_with_all(metric, monkeypatch):
    monkeypatch.setattr(module, "_SEARCHED_CELLS", 1)
    points = grouped(1000, 8)
    lacking = []

    def compare(points, rows, count, metric):
        lacking.extend(rows)
        return exact_neighbours(points, rows, count, metric)

    monkeypatch.setattr(module, "exact_neighbours", compare)
    near, distance = indexed_neighbours(points, 20, metric=metric)
    assert 10 < len(lacking) < 1000
    true, exact = exact_neighbours(comparable(points, metric), np.array(lacking), 20, metric)
    np.testing.assert_array_equal(near[lacking], true)
    np.testing.assert_allclose(distance[lacking], exact, atol=3e-6)
    assert np.isfinite(distance).all()


@pytest.mark.parametrize("width", [48, 96])
def test_vectors_of_zeros_are_at_distance_1_and_do_not_crowd_out_others(width):
    # Nearest by Euclid to a unit vector whose other neighbours lie at more than 60 degrees.
    points = np.random.default_rng(0).normal(size=(2000, width)).astype(np.float32)
    points[::3] = 0
    near, distance = indexed_neighbours(points, 10, metric="cosine")
    np.testing.assert_allclose(distance[::3], 1.0)
    rows = np.flatnonzero(points.any(axis=1))
    assert points[near[rows]].any(axis=2).all()


@pytest.mark.parametrize("width", [16, 128])
def test_the_same_rows_have_the_same_neighbours_again(width):
    points = grouped(2000, width)
    first, second = (indexed_neighbours(points, 5, metric="cosine") for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_faiss_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(FercleanError, match=r"neighbours of 1,200 rows.*pip install faiss-cpu"):
        indexed_neighbours(np.zeros((1200, 4)), 3, metric="cosine")
