from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from ferclean.faces.template import (
    ARCFACE_POINTS,
    face_template,
    similarity_transform,
    template_residuals,
)


def umeyama_by_svd(source, target):
    """The general algorithm of the paper, as an independent oracle."""
    from_centre, to_centre = source.mean(0), target.mean(0)
    before, after = source - from_centre, target - to_centre
    covariance = after.T @ before / len(source)
    left, singular, right = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation = left @ np.diag(signs) @ right
    scale = (singular * signs).sum() / (before**2).sum(axis=1).mean()
    linear = scale * rotation
    return np.column_stack([linear, to_centre - linear @ from_centre])


def apply(matrix, points):
    return points @ matrix[:, :2].T + matrix[:, 2]


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.01, 100),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_known_transform_is_recovered(angle, scale, shift):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    known = np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])
    source = face_template(112)
    np.testing.assert_allclose(
        similarity_transform(source, apply(known, source)), known, rtol=1e-8, atol=1e-7
    )


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_paper_and_with_numerical_optimisation(seed):
    generator = np.random.default_rng(seed)
    target = face_template(112)
    source = target * 1.7 + generator.normal(0, 8, (5, 2)) + 30
    fitted = similarity_transform(source, target)
    np.testing.assert_allclose(fitted, umeyama_by_svd(source, target), atol=1e-9)

    def loss(p):
        matrix = np.array([[p[0], -p[1], p[2]], [p[1], p[0], p[3]]])
        return ((apply(matrix, source) - target) ** 2).sum()

    best = minimize(loss, [1, 0, 0, 0], method="BFGS", options={"gtol": 1e-9})
    assert ((apply(fitted, source) - target) ** 2).sum() <= best.fun + 1e-6


@given(st.integers(0, 10_000))
def test_never_a_reflection_and_one_scale(seed):
    generator = np.random.default_rng(seed)
    source, target = generator.normal(size=(2, 5, 2))
    linear = similarity_transform(source, target)[:, :2]
    assert np.linalg.det(linear) > 0
    np.testing.assert_allclose(linear @ linear.T, np.linalg.det(linear) * np.eye(2), atol=1e-9)


def test_mirrored_points_are_not_mirrored_back():
    source = face_template(112) * (-1, 1)
    assert np.linalg.det(similarity_transform(source, face_template(112))[:, :2]) > 0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.ones((5, 2)), "fix no similarity"),
        (np.full((5, 2), np.nan), "finite"),
        (np.zeros((4, 2)), "two"),
    ],
)
def test_points_that_fix_nothing_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        similarity_transform(source, face_template(112))


def test_two_different_points_are_enough():
    matrix = similarity_transform(np.array([[0, 0], [2, 0]]), np.array([[1, 1], [1, 5]]))
    np.testing.assert_allclose(matrix, [[0, -2, 1], [2, 0, 1]], atol=1e-12)


def test_the_template_is_arcface_at_112_and_the_same_part_at_other_sizes():
    np.testing.assert_allclose(face_template(112), ARCFACE_POINTS)
    for size in (48, 64, 224):
        np.testing.assert_allclose(
            (face_template(size) + 0.5) / size, (np.array(ARCFACE_POINTS) + 0.5) / 112
        )


@given(st.sampled_from([48, 64, 112, 224]), st.floats(0, 1))
def test_a_margin_shrinks_the_template_around_the_centre(size, margin):
    middle = (size - 1) / 2
    expected = middle + (face_template(size) - middle) / (1 + 2 * margin)
    np.testing.assert_allclose(face_template(size, margin=margin), expected, atol=1e-9)


@pytest.mark.parametrize(("size", "margin"), [(0, 0.0), (112, -0.1)])
def test_impossible_templates_are_refused(size, margin):
    with pytest.raises(ValueError, match="size must be"):
        face_template(size, margin=margin)


@given(st.integers(1, 6), st.floats(0, 30), st.integers(0, 10**6))
def test_residuals_are_what_each_faces_own_transform_leaves(count, spread, seed):
    random = np.random.default_rng(seed)
    template = np.array(ARCFACE_POINTS)
    faces = 3 * template + 50 + spread * random.normal(size=(count, 5, 2))
    between_eyes = np.linalg.norm(template[1] - template[0])
    found = template_residuals(faces)
    assert found.shape == (count, 10) and found.dtype == np.float32
    for face, row in zip(faces, found, strict=True):
        moved = apply(similarity_transform(face, template), face)
        np.testing.assert_allclose(row, (moved - template).ravel() / between_eyes, atol=1e-5)


def test_residuals_do_not_depend_on_place_roll_and_size_but_on_shape():
    face = np.array(ARCFACE_POINTS)
    np.testing.assert_allclose(template_residuals(face[None]), 0, atol=1e-6)
    smiling = face + np.array([[0, 0], [0, 0], [0, 0], [-4, -3], [4, -3]])
    angle = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    both = template_residuals(np.stack([smiling, 2.5 * smiling @ angle.T - 17]))
    np.testing.assert_allclose(both[0], both[1], atol=1e-6)
    assert np.abs(both[0]).max() > 0.05


def test_residuals_of_no_landmarks_are_not_a_number():
    face = np.array(ARCFACE_POINTS)
    missing, same = np.full((5, 2), np.nan), np.full((5, 2), 3.0)
    found = template_residuals(np.stack([face, missing, same]))
    assert np.isfinite(found[0]).all() and np.isnan(found[1:]).all()
    assert template_residuals(np.empty((0, 5, 2))).shape == (0, 10)
