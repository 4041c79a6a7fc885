from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.datasets.rendered.plan import PICTURE_RANGES
from ferclean.datasets.rendered.pose import Pose

FRONTAL = {"roll": 0.0, "yaw": 0.0, "pitch": 0.0, "shift_x": 0.0, "shift_y": 0.0, "scale": 0.25}


def test_frontal_pose_only_scales_and_shifts():
    pose = Pose.of(FRONTAL, 200)
    points = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, -1.0)])
    np.testing.assert_allclose(pose.project(points), [(100, 106), (150, 106), (100, 56)])


def test_roll_turns_clockwise_about_the_centre():
    pose = Pose.of({**FRONTAL, "roll": np.pi / 2}, 200)
    np.testing.assert_allclose(pose.project(np.array([(1.0, 0.0)])), [(100, 156)])


def test_yaw_moves_the_nose_more_than_the_rim():
    pose = Pose.of({**FRONTAL, "yaw": 0.25}, 200)
    still = Pose.of(FRONTAL, 200)
    nose, rim = np.array([(0.0, 0.3)]), np.array([(1.0, 0.0)])

    def shift(points, depth=0.0):
        return pose.project(points, depth)[0][0] - still.project(points, depth)[0][0]

    assert shift(nose, 0.22) > shift(nose) > 5
    assert shift(rim) == pytest.approx(0)


@given(
    st.fixed_dictionaries(
        {
            name: st.floats(*PICTURE_RANGES[name])
            for name in ("roll", "yaw", "pitch", "shift_x", "shift_y", "scale")
        }
    )
)
def test_grid_inverts_project_on_the_inner_face(parameters):
    size = 80
    pose = Pose.of(parameters, size)
    x, y = pose.grid(size)
    assert x.dtype == y.dtype == np.float32
    inner = np.hypot(x / 0.8, y / 1.0) < 1
    points = np.column_stack([x[inner], y[inner]]).astype(float)
    row, column = np.nonzero(inner)
    offsets = np.array(pose.project(points)) - np.column_stack([column + 0.5, row + 0.5])
    assert np.abs(offsets).max() / pose.unit < 0.03


def test_grid_of_any_resolution_covers_the_same_picture():
    pose = Pose.of(FRONTAL, 160)
    fine, coarse = pose.grid(160), pose.grid(80)
    for a, b in zip(fine, coarse, strict=True):
        np.testing.assert_allclose(a.reshape(80, 2, 80, 2).mean((1, 3)), b, atol=1e-5)
