from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.faces.template import face_template, similarity_transform
from ferclean.faces.warp import centre_square, to_color, warp_face


def picture_with_dots(points, radius, shape=(300, 320)):
    """Draw soft dots, one a channel-free layer each, at exact sub-pixel places."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    layers = [np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2)) for x, y in points]
    return [(255 * layer).astype(np.uint8)[..., None] for layer in layers]


def centre_of(face):
    weights = face[..., 0].astype(float)
    rows, columns = np.mgrid[: face.shape[0], : face.shape[1]]
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


@pytest.mark.parametrize("size", [48, 64, 112, 224])
@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.5, 0.6), (-0.8, 1.6), (2.5, 1.2)])
def test_landmarks_land_on_the_template(size, angle, scale):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = (face_template(112) - 56) @ turn.T + (158.3, 147.6)
    template = face_template(size, margin=0.1)
    matrix = similarity_transform(landmarks, template)
    for layer, expected in zip(picture_with_dots(landmarks, 4 * scale), template, strict=True):
        face = warp_face(layer, matrix, size=size)
        assert face.shape == (size, size, 1)
        assert np.abs(centre_of(face) - expected).max() < 0.5


def test_the_identity_changes_nothing():
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    same = warp_face(picture, np.eye(2, 3), size=64)
    np.testing.assert_array_equal(same, picture)


def test_a_whole_shift_moves_pixels_exactly_and_repeats_the_edge():
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    shifted = warp_face(picture, np.array([[1.0, 0, 5], [0, 1, -3]]), size=40)
    np.testing.assert_array_equal(shifted[:37, 5:], picture[3:, :35])
    np.testing.assert_array_equal(shifted[:37, 0], picture[3:, 0])


@pytest.mark.parametrize("factor", [2.1, 3.7, 8.0, 17.0])
def test_reduction_averages_instead_of_skipping_pixels(factor):
    """One-pixel stripes must turn grey; without antialiasing they give moiré of full contrast."""
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (800, 400))[..., None]
    matrix = np.array([[1 / factor, 0, 0], [0, 1 / factor, 0]])
    face = warp_face(stripes, matrix, size=40)[2:-2, 2:-2]
    assert np.abs(face.astype(float) - 127.5).max() < 16


def test_a_face_outside_the_picture_repeats_the_edge():
    picture = np.full((10, 10, 3), 77, dtype=np.uint8)
    assert (warp_face(picture, np.array([[1.0, 0, 500], [0, 1, 500]]), size=16) == 77).all()


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    scale=st.floats(1e-3, 1e3),
    angle=st.floats(-3, 3),
    channels=st.sampled_from([1, 3]),
)
def test_any_picture_and_transform_give_the_right_shape(height, width, scale, angle, channels):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    picture = np.full((height, width, channels), 9, dtype=np.uint8)
    face = warp_face(picture, np.array([[cos, -sin, 3], [sin, cos, 4]]), size=16)
    assert face.shape == (16, 16, channels)
    assert (face == 9).all()


def test_centre_square_of_the_very_size_is_untouched():
    picture = np.random.default_rng(1).integers(0, 256, (48, 48, 1), dtype=np.uint8)
    np.testing.assert_array_equal(centre_square(picture, size=48), picture)
    wide = np.concatenate([picture * 0, picture, picture * 0], axis=1)
    np.testing.assert_array_equal(centre_square(wide, size=48), picture)


@pytest.mark.parametrize("shape", [(480, 960, 3), (960, 480, 1), (1, 7, 3)])
def test_centre_square_resizes_to_size(shape):
    square = centre_square(np.full(shape, 50, dtype=np.uint8), size=64)
    assert square.shape == (64, 64, shape[2])
    assert (square == 50).all()


def test_grey_of_equal_channels_is_the_channel():
    grey = np.random.default_rng(2).integers(0, 256, (20, 30, 1), dtype=np.uint8)
    np.testing.assert_array_equal(to_color(np.repeat(grey, 3, axis=2), "grey"), grey)
    coloured = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    luma = coloured @ np.array([0.299, 0.587, 0.114])
    assert np.abs(to_color(coloured, "grey")[..., 0] - luma).max() <= 1
    assert to_color(coloured, "rgb") is coloured
