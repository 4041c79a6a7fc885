from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.config.data import CANONICAL_CLASSES
from ferclean.errors import FercleanError
from ferclean.semantics.affect import (
    affect_vectors,
    distance_kernel,
    kernel_vectors,
    read_ratings,
)
from ferclean.semantics.similarity import nearest_classes, similarity_matrix

WORDS = {name: name for name in CANONICAL_CLASSES}


def test_ratings_are_those_of_russell_and_mehrabian():
    ratings = read_ratings()
    assert ratings.loc["surprised"].tolist() == [0.40, 0.67, -0.13]
    assert ratings.loc["fear"].tolist() == ratings.loc["fearful"].tolist() == [-0.64, 0.60, -0.43]
    assert ratings.loc["neutral"].tolist() == [0, 0, 0]
    assert not ratings.index.has_duplicates
    assert (ratings.abs() <= 1).all().all()


def naive_kernel(points):
    distances = [
        float(np.sqrt(((a - b) ** 2).sum())) for i, a in enumerate(points) for b in points[:i]
    ]
    bandwidth = np.median(distances)
    return np.array(
        [[np.exp(-((a - b) ** 2).sum() / (2 * bandwidth**2)) for b in points] for a in points]
    )


def test_cosines_equal_the_kernel():
    vectors = affect_vectors(WORDS)
    kernel = naive_kernel(read_ratings().loc[list(CANONICAL_CLASSES)].to_numpy())
    np.testing.assert_allclose(vectors @ vectors.T, kernel, atol=1e-12)
    np.testing.assert_allclose(similarity_matrix(CANONICAL_CLASSES, vectors), kernel, atol=1e-12)


def test_relations_that_the_sce_ald_paper_reports_hold():
    similarity = similarity_matrix(CANONICAL_CLASSES, affect_vectors(WORDS))
    nearest = nearest_classes(CANONICAL_CLASSES, similarity)
    assert nearest["surprised"] == "happy"
    assert nearest["disgusted"] == "angry"


@settings(max_examples=40)
@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 2**32))
def test_vectors_reproduce_any_kernel(count, dimensions, seed):
    points = np.random.default_rng(seed).normal(size=(count, dimensions))
    kernel = distance_kernel(points)
    np.testing.assert_allclose(kernel, naive_kernel(points), atol=1e-12)
    vectors = kernel_vectors(kernel)
    np.testing.assert_allclose(vectors @ vectors.T, kernel, atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-10)
    largest = np.abs(vectors).argmax(axis=0)
    assert (vectors[largest, np.arange(count)] >= 0).all()


def test_degenerate_points():
    assert distance_kernel(np.zeros((1, 3))).tolist() == [[1.0]]
    np.testing.assert_array_equal(distance_kernel(np.ones((3, 2))), np.ones((3, 3)))
    two = distance_kernel(np.array([[0.0], [5.0]]))
    assert two[0, 1] == pytest.approx(np.exp(-0.5))


def test_other_class_names_of_the_field_are_rated_too():
    words = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    other = ["anger", "disgusted", "fearful", "happiness", "sadness", "surprised", "neutral"]
    one = affect_vectors(dict(zip(words, words, strict=True)))
    two = affect_vectors(dict(zip(words, other, strict=True)))
    np.testing.assert_array_equal(one, two)


def test_missing_word_names_its_neighbours():
    with pytest.raises(FercleanError, match=r"no vector for 'hapy'; .*'happy'.*glad: happy"):
        affect_vectors({"glad": "hapy"})
