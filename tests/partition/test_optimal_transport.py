"""Optimal transport against POT's exact solver, and its laws."""

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.partition.optimal_transport import (
    exact_distance,
    sinkhorn_distance,
    transport_distance,
)
from ferclean.partition.transport import ground_cost
from ferclean.semantics.affect import affect_vectors

SEVEN = ("surprised", "fear", "disgusted", "happy", "sad", "angry", "neutral")


def pairs(rows, classes, seed=0, spread=0.5):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, spread), rows), rng.dirichlet(np.ones(classes), rows)


def by_pot(first, second, cost):
    return np.array([ot.emd2(a, b, cost) for a, b in zip(first, second, strict=True)])


def word_cost():
    return ground_cost(affect_vectors({word: word for word in SEVEN}))


@pytest.mark.slow
@pytest.mark.parametrize("classes", [1, 2, 3, 5, 7, 8])
@pytest.mark.parametrize("kind", ["vectors", "identity", "unsymmetric"])
def test_the_exact_distance_is_that_of_pot(classes, kind):
    rng = np.random.default_rng(classes)
    cost = {
        "vectors": ground_cost(rng.normal(size=(classes, 4))),
        "identity": 1.0 - np.eye(classes),
        "unsymmetric": rng.random((classes, classes)),
    }[kind]
    first, second = pairs(60, classes)
    found = exact_distance(first, second, cost)
    np.testing.assert_allclose(found, by_pot(first, second, cost), atol=1e-10)


def test_the_exact_distance_is_that_of_pot_on_the_words_of_the_paper():
    first, second = pairs(200, 7, seed=1)
    found = exact_distance(first, second, word_cost())
    np.testing.assert_allclose(found, by_pot(first, second, word_cost()), atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_it_is_a_distance_where_the_cost_is_one(classes, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(classes, 2))
    cost = np.linalg.norm(points[:, None] - points[None], axis=2)
    a, b, c = (rng.dirichlet(np.full(classes, 0.5), 20) for _ in range(3))
    ab, ba = exact_distance(a, b, cost), exact_distance(b, a, cost)
    np.testing.assert_allclose(ab, ba, atol=1e-9)
    np.testing.assert_allclose(exact_distance(a, a, cost), 0.0, atol=1e-9)
    assert (ab <= exact_distance(a, c, cost) + exact_distance(c, b, cost) + 1e-9).all()
    assert (ab >= 0).all() and (ab <= cost.max() + 1e-9).all()


def test_with_all_classes_equally_far_it_is_the_total_variation():
    first, second = pairs(50, 7)
    found = transport_distance(first, second, 1.0 - np.eye(7))
    np.testing.assert_allclose(found, np.abs(first - second).sum(axis=1) / 2, atol=1e-12)


@pytest.mark.parametrize("classes", [2, 7, 12])
def test_sinkhorn_is_at_most_half_a_hundredth_of_the_largest_cost_above_the_exact_one(classes):
    cost = 3.0 * ground_cost(np.random.default_rng(3).normal(size=(classes, 4)))
    first, second = pairs(200, classes, spread=0.3)
    excess = sinkhorn_distance(first, second, cost) - by_pot(first, second, cost)
    assert excess.min() > -1e-7
    assert excess.max() < 0.005 * 3.0


def test_sinkhorn_bears_empty_classes_and_gets_nearer_with_less_regularisation():
    cost = word_cost()
    first, second = np.eye(7), np.roll(np.eye(7), 1, axis=0)
    exact = cost[np.arange(7), (np.arange(7) - 1) % 7]
    np.testing.assert_allclose(sinkhorn_distance(first, second, cost), exact, atol=1e-6)
    first, second = pairs(50, 7)
    exact = by_pot(first, second, cost)
    wide, narrow = (
        np.abs(sinkhorn_distance(first, second, cost, regularisation=r) - exact).max()
        for r in (0.1, 0.01)
    )
    assert narrow < wide / 5


def test_many_classes_take_the_approximation():
    cost = ground_cost(np.random.default_rng(0).normal(size=(11, 5)))
    first, second = pairs(30, 11)
    found = transport_distance(first, second, cost)
    np.testing.assert_array_equal(found, sinkhorn_distance(first, second, cost))


@pytest.mark.parametrize("solve", [exact_distance, sinkhorn_distance])
def test_no_cost_no_row_and_chunks(solve, monkeypatch):
    first, second = pairs(40, 3)
    np.testing.assert_array_equal(solve(first, second, np.zeros((3, 3))), np.zeros(40))
    cost = 1.0 - np.eye(3)
    assert solve(first[:0], second[:0], cost).shape == (0,)
    whole = solve(first, second, cost)
    monkeypatch.setattr("ferclean.partition.vectors._CHUNK_VALUES", 64)
    np.testing.assert_allclose(solve(first, second, cost), whole, atol=1e-6)
