import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.audit.disagreement import compare
from ferclean.audit.posterior import (
    belief_in_predictions,
    label_posterior,
    noise_rate_bounds,
    transition_matrix,
)


def case(rows=300, classes=4, seed=0):
    random = np.random.default_rng(seed)
    return random.dirichlet(np.full(classes, 0.4), rows), random.integers(classes, size=rows)


def test_transitions_are_the_naive_ones():
    found = compare(*case())
    matrix = transition_matrix(found)
    wrong = [
        [
            found.flips[k, j] + 0.2 * (found.counts[k, j] - found.flips[k, j]) if j != k else 0.0
            for j in range(4)
        ]
        for k in range(4)
    ]
    rate = (sum(map(sum, wrong)) + 0.5 * 3 / 4) / (300 + 0.5)
    for k in range(4):
        row = [wrong[k][j] + 5 * rate / 3 for j in range(4)]
        row[k] = found.counts[k].sum() - sum(wrong[k]) + 5 * (1 - rate)
        np.testing.assert_allclose(matrix[k], np.array(row) / sum(row))


def test_a_class_that_is_never_predicted_is_labelled_like_the_others():
    probabilities, labels = case()
    probabilities[:, 3] = 0.0
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    matrix = transition_matrix(compare(probabilities, labels))
    right, others = np.diag(matrix), matrix[3, :3]
    assert right[:3].min() - 0.02 <= right[3] <= right[:3].max() + 0.02
    np.testing.assert_allclose(others, (1 - right[3]) / 3)


def test_the_posterior_is_the_naive_one():
    probabilities, labels = case()
    found = compare(probabilities, labels)
    matrix, belief = transition_matrix(found), belief_in_predictions(found)
    posterior = label_posterior(probabilities, labels, found)
    assert posterior.dtype == np.float32
    for row, (p, y) in enumerate(zip(probabilities, labels, strict=True)):
        joint = [p[k] ** 2.5 * matrix[k, y] for k in range(4)]
        expected = np.array(joint) / sum(joint)
        if p.argmax() != y:
            expected = (1 - belief) * expected + belief * np.eye(4)[p.argmax()]
        np.testing.assert_allclose(posterior[row], expected, atol=1e-5)


def test_belief_rises_with_steepness_between_its_ends():
    found = compare(*case())

    def belief(middle):
        curve = np.array([0.09, 0.0, middle, 0.0, 0.0])
        return belief_in_predictions(dataclasses.replace(found, curve=curve))

    flat, steep = belief(0.09), belief(0.89)
    assert 0.05 < flat < 0.1 and 0.39 < steep < 0.4
    centre = 0.1 * np.exp(0.4) - 0.01
    assert belief(centre) == pytest.approx(0.225)


def test_the_bounds_of_the_noise_rate_count_nothing_and_all_but_flips_as_peoples_errors():
    probabilities, labels = case()
    found = compare(probabilities, labels)
    rates = []
    for share, belief in ((0.0, 0.0), (1.0, 0.4)):
        posterior = label_posterior(
            probabilities, labels, found, unexplained_share=share, belief=belief
        )
        rates.append(1 - np.mean([posterior[row, label] for row, label in enumerate(labels)]))
    assert rates[0] < rates[1]
    assert noise_rate_bounds(probabilities, labels, found) == pytest.approx(rates, abs=1e-6)


def test_a_usual_confusion_is_believed_less_than_a_rare_one():
    # Two rows with the same prediction for class 0 and the same small rest; class 1 is what class
    # 0 is often flipped to, class 2 is not.
    probabilities = np.tile([0.8, 0.1, 0.1], (100, 1))
    labels = np.array([0] * 70 + [1] * 29 + [2])
    posterior = label_posterior(probabilities, labels, compare(probabilities, labels))
    assert posterior[80, 1] < posterior[99, 2]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 60))
def test_rows_are_distributions_and_classes_may_be_renamed(seed, classes, rows):
    probabilities, labels = case(rows, classes, seed)
    posterior = label_posterior(probabilities, labels, compare(probabilities, labels))
    assert (posterior >= 0).all()
    np.testing.assert_allclose(posterior.sum(axis=1), 1.0, atol=1e-5)
    names = np.random.default_rng(seed).permutation(classes)
    renamed = np.empty_like(probabilities)
    renamed[:, names] = probabilities
    other = label_posterior(renamed, names[labels], compare(renamed, names[labels]))
    np.testing.assert_allclose(other[:, names], posterior, atol=1e-5)
