"""The three readings of the paper's Wasserstein distance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import wasserstein_distance

from ferclean.errors import FercleanError
from ferclean.partition.transport import ground_cost, largest_distance, relation_distance

READINGS = ("semantic", "sample", "index")


def distance(semantic, task, reading, *, cost=None, temperature=0.1):
    semantic, task = np.atleast_2d(semantic), np.atleast_2d(task)
    cost = 1.0 - np.eye(semantic.shape[1]) if cost is None else cost
    return relation_distance(semantic, task, reading=reading, cost=cost, temperature=temperature)


def graphs(rows, classes=7, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (2, rows, classes))


def test_the_sample_reading_is_scipys_distance_of_the_two_vectors():
    semantic, task = graphs(50)
    naive = [wasserstein_distance(a, b) for a, b in zip(semantic, task, strict=True)]
    np.testing.assert_allclose(distance(semantic, task, "sample"), naive, atol=1e-12)


def test_the_index_reading_is_scipys_distance_of_weighted_places():
    semantic, task = graphs(50)
    a, b = softmax(semantic / 0.3, axis=1), softmax(task / 0.3, axis=1)
    places = np.arange(7)
    naive = [wasserstein_distance(places, places, u, v) for u, v in zip(a, b, strict=True)]
    found = distance(semantic, task, "index", temperature=0.3)
    np.testing.assert_allclose(found, naive, atol=1e-10)


def test_the_sample_reading_loses_which_class_is_meant_and_the_others_do_not():
    semantic = np.array([0.9, 0.1, 0.05, 0.05, 0, 0, 0])
    assert distance(semantic, semantic[::-1], "sample")[0] == 0.0
    assert distance(semantic, semantic[::-1], "semantic")[0] > 0.9
    assert distance(semantic, semantic[::-1], "index")[0] > 5.0


def test_the_index_reading_depends_on_the_order_of_the_classes_and_the_semantic_one_does_not():
    (semantic, task), order = graphs(20), np.array([3, 0, 6, 1, 5, 2, 4])
    cost = ground_cost(np.random.default_rng(1).normal(size=(7, 5)))
    moved = semantic[:, order], task[:, order]
    assert not np.allclose(distance(semantic, task, "index"), distance(*moved, "index"))
    before = distance(semantic, task, "semantic", cost=cost)
    after = distance(*moved, "semantic", cost=cost[np.ix_(order, order)])
    np.testing.assert_allclose(before, after, atol=1e-9)


def test_confusing_near_words_costs_less_than_confusing_far_ones():
    vectors = np.array([[1.0, 0.0], [0.95, 0.1], [-1.0, 0.2]])
    at = np.eye(3)
    near = distance(at[0], at[1], "semantic", cost=ground_cost(vectors))
    far = distance(at[0], at[2], "semantic", cost=ground_cost(vectors))
    assert near[0] < 0.05 < 0.9 < far[0]


@pytest.mark.parametrize("reading", READINGS)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_reading_is_symmetric_zero_on_equal_graphs_and_bounded(reading, seed):
    semantic, task = graphs(5, classes=4, seed=seed)
    found = distance(semantic, task, reading)
    np.testing.assert_allclose(found, distance(task, semantic, reading), atol=1e-9)
    np.testing.assert_allclose(distance(task, task, reading), 0.0, atol=1e-9)
    assert (found >= 0).all() and (found <= largest_distance(reading, 4) + 1e-9).all()


def test_the_largest_distances_are_reached():
    assert distance([1.0, 1.0], [-1.0, -1.0], "sample")[0] == largest_distance("sample", 2)
    far = distance([9.0, 0, 0], [0, 0, 9.0], "index")[0]
    assert far == pytest.approx(largest_distance("index", 3))
    assert distance([9.0, 0], [0, 9.0], "semantic")[0] == pytest.approx(1.0)


@pytest.mark.parametrize("reading", READINGS)
def test_chunks_change_nothing(reading, monkeypatch):
    semantic, task = graphs(100)
    whole = distance(semantic, task, reading)
    monkeypatch.setattr("ferclean.partition.vectors._CHUNK_VALUES", 50)
    np.testing.assert_allclose(distance(semantic, task, reading), whole, atol=1e-12)


def test_the_ground_cost_is_one_minus_cosine_with_largest_entry_one():
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    naive = np.array(
        [[1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in vectors] for a in vectors]
    )
    np.testing.assert_allclose(ground_cost(vectors), naive / naive.max(), atol=1e-12)
    assert not ground_cost(np.ones((3, 2))).any()  # all words alike: nothing to move


def test_wrong_input_is_refused():
    with pytest.raises(FercleanError, match="reading of the transport distance"):
        distance([0.0, 1], [0.0, 1], "taxi")
    with pytest.raises(ValueError, match="finite"):
        distance([0.0, np.nan], [0.0, 1], "sample")
    with pytest.raises(ValueError, match=r"two \(N, K\)"):
        relation_distance(
            np.zeros((2, 3)), np.zeros((2, 2)), reading="index", cost=np.zeros((3, 3)),
            temperature=1.0,
        )  # fmt: skip
    with pytest.raises(ValueError, match="not zero"):
        ground_cost(np.array([[0.0, 0.0], [1.0, 0.0]]))
