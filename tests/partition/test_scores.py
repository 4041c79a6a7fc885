import math

import numpy as np
import pytest

from ferclean.partition.scores import (
    cross_entropy_score,
    margin_score,
    rival_share,
    similarity_score,
)


def test_cross_entropy_equals_a_naive_loop():
    logits = np.random.default_rng(0).normal(size=(5, 3)) * 4
    observed = np.array([0, 1, 2, 0, 1])
    naive = [
        math.log(sum(math.exp(value) for value in row)) - row[label]
        for row, label in zip(logits, observed, strict=True)
    ]
    np.testing.assert_allclose(cross_entropy_score(logits, observed), naive)


def test_cross_entropy_is_finite_for_huge_logits():
    score = cross_entropy_score(np.array([[1e4, -1e4]]), np.array([1]))
    assert score == pytest.approx([2e4])


def test_margin_equals_a_naive_loop():
    probabilities = np.random.default_rng(1).dirichlet(np.ones(4), size=6)
    observed = np.array([0, 1, 2, 3, 0, 1])
    naive = [
        row[label] - max(p for k, p in enumerate(row) if k != label)
        for row, label in zip(probabilities, observed, strict=True)
    ]
    np.testing.assert_allclose(margin_score(probabilities, observed), naive)


def test_margin_does_not_change_its_input():
    probabilities = np.array([[0.2, 0.8]])
    margin_score(probabilities, np.array([1]))
    assert probabilities.tolist() == [[0.2, 0.8]]


def test_share_against_the_strongest_rival():
    votes = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    found = rival_share(votes, np.array([0, 1, 1, 2]))
    np.testing.assert_allclose(found, [2 / 3, 1 / 3, 0.5, 0.5])
    assert rival_share(np.array([[0.0, 1.0]]), np.array([0])).tolist() == [0.0]


def test_similarity_is_the_cosine_with_the_one_hot_label():
    probabilities = np.random.default_rng(2).dirichlet(np.ones(7), size=9).astype(np.float32)
    observed = np.arange(9) % 7
    naive = [
        float(row[label]) / math.sqrt(sum(float(p) ** 2 for p in row))
        for row, label in zip(probabilities, observed, strict=True)
    ]
    np.testing.assert_allclose(similarity_score(probabilities, observed), naive)
    edges = np.array([[1 / 7] * 7, np.eye(7)[3], np.eye(7)[3]])
    found = similarity_score(edges, np.array([3, 3, 0]))
    np.testing.assert_allclose(found, [1 / math.sqrt(7), 1, 0])
