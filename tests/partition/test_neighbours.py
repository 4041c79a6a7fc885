import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from ferclean.errors import FercleanError
from ferclean.partition import neighbours as module
from ferclean.partition.neighbours import (
    METRICS,
    batch_neighbours,
    class_votes,
    nearest_neighbours,
    neighbour_means,
    neighbour_weights,
)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_and_distances_are_scikit_learns(metric):
    points = np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)
    found = nearest_neighbours(points, 7, metric=metric)
    fitted = NearestNeighbors(n_neighbors=7, metric=metric, algorithm="brute").fit(points)
    distance, index = fitted.kneighbors()  # of the points themselves, each without itself
    np.testing.assert_array_equal(found.index, index)
    np.testing.assert_allclose(found.distance, distance, atol=2e-6)


@given(st.integers(1, 15), st.integers(1, 20), st.sampled_from(METRICS), st.integers(0, 1000))
def test_a_row_is_never_its_own_neighbour(rows, count, metric, seed):
    points = np.random.default_rng(seed).integers(0, 2, size=(rows, 2))  # many duplicates
    found = nearest_neighbours(points, count, metric=metric)
    assert found.index.shape == (rows, min(count, rows - 1))
    for row, near in enumerate(found.index):
        assert row not in near and len(set(near)) == len(near)
    assert np.isfinite(found.distance).all()
    assert (np.diff(found.distance, axis=1) >= 0).all()


def test_near_points_far_from_the_origin_keep_their_order():
    points = 1000 + np.array([[0.0], [0.01], [0.03], [0.07]])
    found = nearest_neighbours(points, 1, metric="euclidean")
    assert found.index.ravel().tolist() == [1, 0, 1, 2]


def test_a_graph_of_a_million_rows_and_200_neighbours_fits_into_memory():
    found = nearest_neighbours(np.random.default_rng(0).normal(size=(9, 2)), 3, metric="cosine")
    weights = neighbour_weights(found.distance, "cosine")
    held = (values.itemsize for values in (found.index, found.distance, weights))
    assert sum(held) * 200 * 10**6 < 2.5e9


def test_beyond_a_number_of_rows_an_index_is_asked(monkeypatch):
    points = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    asked = []

    def answer(vectors, count, *, metric):
        asked.append((len(vectors), count, metric))
        return np.zeros((300, 3), np.int32), np.zeros((300, 3), np.float32)

    monkeypatch.setattr(module, "indexed_neighbours", answer)
    nearest_neighbours(points, 3, metric="cosine", most_compared=300)
    assert asked == []
    nearest_neighbours(points, 3, metric="cosine", most_compared=299)
    assert asked == [(300, 3, "cosine")]


@pytest.mark.parametrize(
    ("points", "count", "metric", "error", "message"),
    [
        (np.array([[np.nan], [0.0]]), 1, "cosine", ValueError, "finite"),
        (np.zeros(3), 1, "cosine", ValueError, "finite"),
        (np.zeros((3, 1)), 0, "cosine", ValueError, "at least 1"),
        (np.zeros((3, 1)), 1, "cosin", FercleanError, "unknown metric 'cosin'"),
    ],
)
def test_what_cannot_be_searched_is_refused(points, count, metric, error, message):
    with pytest.raises(error, match=message):
        nearest_neighbours(points, count, metric=metric)


def test_weights():
    assert neighbour_weights(np.array([[0.0, 0.25, 1.0, 1.5]]), "cosine").tolist() == [
        [1.0, 0.75, 0.0, 0.0]
    ]
    distance = np.array([[1.0, 2.0], [2.0, 4.0]])
    expected = np.exp(-(distance**2) / (2 * 2.0**2))
    np.testing.assert_allclose(neighbour_weights(distance, "euclidean"), expected, rtol=1e-6)
    assert (neighbour_weights(np.zeros((3, 2)), "euclidean") == 1).all()
    assert neighbour_weights(np.zeros((1, 0)), "euclidean").shape == (1, 0)


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 4), st.integers(0, 1000))
def test_means_are_those_of_a_naive_loop(rows, count, width, seed):
    random = np.random.default_rng(seed)
    index = random.integers(rows, size=(rows, count))
    weights = random.random((rows, count)) * random.integers(0, 2, size=(rows, count))
    values = random.random((rows, width))
    found = neighbour_means(index, weights, values)
    for row in range(rows):
        own = weights[row] if weights[row].any() else np.ones(count)
        expected = sum(w * values[j] for w, j in zip(own, index[row], strict=True)) / own.sum()
        np.testing.assert_allclose(found[row], expected, rtol=1e-5)


def test_chunks_of_means_do_not_matter(monkeypatch):
    random = np.random.default_rng(0)
    index, values = random.integers(20, size=(20, 3)), random.random((20, 2))
    whole = neighbour_means(index, np.ones((20, 3)), values)
    monkeypatch.setattr("ferclean.partition.neighbours._CHUNK_VALUES", 13)
    np.testing.assert_array_equal(neighbour_means(index, np.ones((20, 3)), values), whole)


def test_a_row_without_neighbours_keeps_its_own_value():
    near = nearest_neighbours(np.ones((1, 4)), 5, metric="cosine")
    weights = neighbour_weights(near.distance, "cosine")
    assert neighbour_means(near.index, weights, np.array([[0.25, 0.75]])).tolist() == [[0.25, 0.75]]
    assert class_votes(near.index, weights, np.array([1]), classes=2, balanced=True).tolist() == [
        [0, 1]
    ]


def test_votes_are_scikit_learns_weighted_vote():
    random = np.random.default_rng(1)
    points, labels = random.random((80, 5)), random.integers(3, size=80)
    near = nearest_neighbours(points, 9, metric="cosine")
    weights = neighbour_weights(near.distance, "cosine")
    found = class_votes(near.index, weights, labels, classes=3, balanced=False)
    for row in range(80):
        others = np.delete(np.arange(80), row)
        voters = KNeighborsClassifier(9, weights=lambda d: 1 - d, metric="cosine")
        expected = voters.fit(points[others], labels[others]).predict_proba(points[[row]])
        np.testing.assert_allclose(found[[row]], expected, atol=1e-5)


def test_a_balanced_vote_lets_a_rare_class_win():
    labels = np.array([0] * 8 + [1] * 2)
    index = np.tile([0, 1, 2, 8, 9], (10, 1))
    uniform = np.ones(index.shape)
    plain = class_votes(index, uniform, labels, classes=3, balanced=False)
    np.testing.assert_allclose(plain[0], [0.6, 0.4, 0])
    balanced = class_votes(index, uniform, labels, classes=3, balanced=True)
    expected = np.array([3 / 8, 2 / 2, 0])
    np.testing.assert_allclose(balanced[0], expected / expected.sum(), rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 2, 5, 30])
def test_neighbours_in_a_batch_are_those_of_the_search_by_cosine(rows):
    points = torch.randn(rows, 4, generator=torch.Generator().manual_seed(0))
    found = batch_neighbours(points, 8)
    expected = nearest_neighbours(points.numpy(), 8, metric="cosine").index
    assert found.dtype == torch.bool and found.shape == (rows, rows)
    for row in range(rows):
        assert sorted(expected[row]) == found[row].nonzero().ravel().tolist()


def test_neighbours_in_a_batch_are_found_in_full_precision_under_autocast():
    points = torch.tensor([[1.0, 0.0], [1.0, 0.0010], [1.0, 0.0021], [1.0, 0.0033]])
    plain = batch_neighbours(points, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(batch_neighbours(points, 1), plain)
