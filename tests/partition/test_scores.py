import math

import numpy as np
import pytest

from ferclean.partition.scores import cross_entropy_score, margin_score


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
