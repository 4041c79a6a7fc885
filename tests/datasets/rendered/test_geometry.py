from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.datasets.rendered import geometry
from ferclean.datasets.rendered.action_units import AU_COLUMNS
from ferclean.datasets.rendered.plan import IDENTITY_RANGES, PICTURE_RANGES


def with_units(plain, *numbers):
    return {**plain, **{f"au_{number}": 1.0 for number in numbers}}


def corner_rise(shape):
    """How far the corners stand above the middle of the lip line (y points down)."""
    return shape.upper_inner[12, 1] - shape.upper_inner[[0, -1], 1].mean()


def mouth_width(shape):
    return np.ptp(shape.upper_outer[:, 0])


def lip_height(shape):
    return (
        shape.upper_inner[12, 1]
        - shape.upper_outer[12, 1]
        + shape.lower_outer[12, 1]
        - shape.lower_inner[12, 1]
    )


def eye_height(shape):
    return shape.lower[12, 1] - shape.upper[12, 1]


def test_jaw_drop_opens_the_mouth_and_lowers_the_chin(plain):
    dropped = with_units(plain, 26)
    assert geometry.mouth(plain).opening < 0.01
    assert geometry.mouth(dropped).opening > 0.25
    chin = geometry.face_outline(plain)[:, 1].max()
    assert geometry.face_outline(dropped)[:, 1].max() > chin + 0.2
    assert geometry.face_outline(dropped)[:, 1].min() == geometry.face_outline(plain)[:, 1].min()


def test_smile_raises_and_widens_the_corners(plain):
    rest, smile = geometry.mouth(plain), geometry.mouth(with_units(plain, 12))
    assert corner_rise(smile) > corner_rise(rest) + 0.1
    assert mouth_width(smile) > 1.2 * mouth_width(rest)


def test_corner_depressor_lowers_the_corners(plain):
    depressed = geometry.mouth(with_units(plain, 15))
    assert corner_rise(depressed) < corner_rise(geometry.mouth(plain)) - 0.1


def test_lip_stretcher_widens_and_restrains_the_jaw(plain):
    dropped = geometry.mouth(with_units(plain, 26))
    both = geometry.mouth(with_units(plain, 20, 26))
    assert mouth_width(both) > 1.4 * mouth_width(dropped)
    assert both.opening < 0.8 * dropped.opening


def test_lip_tightener_thins_the_lips(plain):
    tight = geometry.mouth(with_units(plain, 23))
    assert lip_height(tight) < 0.5 * lip_height(geometry.mouth(plain))


def test_lower_lip_depressor_and_nose_wrinkler_part_the_lips(plain):
    assert geometry.mouth(with_units(plain, 16)).opening > 0.05
    wrinkled = geometry.mouth(with_units(plain, 9))
    assert wrinkled.upper_outer[12, 1] < geometry.mouth(plain).upper_outer[12, 1] - 0.04
    assert geometry.nose_height(with_units(plain, 9)) < geometry.nose_height(plain)


@pytest.mark.parametrize("side", [-1, 1])
def test_brows(plain, side):
    rest = geometry.brow(plain, side)
    raised = geometry.brow(with_units(plain, 1, 2), side)
    lowered = geometry.brow(with_units(plain, 4), side)
    slanted = geometry.brow(with_units(plain, 1, 4), side)
    assert (raised[:, 1] < rest[:, 1] - 0.1).all()
    assert lowered[0, 1] > rest[0, 1] + 0.1
    assert abs(lowered[0, 0]) < abs(rest[0, 0])
    # Grief: inner ends up, outer ends not.
    assert slanted[0, 1] < rest[0, 1] - 0.1
    assert slanted[2, 1] >= rest[2, 1]


@pytest.mark.parametrize("side", [-1, 1])
def test_lids(plain, side):
    rest = eye_height(geometry.eye(plain, side))
    assert eye_height(geometry.eye(with_units(plain, 5), side)) > 1.4 * rest
    assert eye_height(geometry.eye(with_units(plain, 7), side)) < 0.8 * rest
    assert eye_height(geometry.eye(with_units(plain, 6), side)) < 0.8 * rest


def test_both_sides_mirror_each_other(plain):
    np.testing.assert_allclose(geometry.brow(plain, -1) * (-1, 1), geometry.brow(plain, 1))
    left, right = geometry.eye(plain, -1), geometry.eye(plain, 1)
    np.testing.assert_allclose(left.upper[::-1] * (-1, 1), right.upper, atol=1e-12)
    outline = geometry.face_outline(plain)
    assert outline[:, 0].max() == pytest.approx(-outline[:, 0].min())


anyone = st.fixed_dictionaries(
    {name: st.floats(*limits) for name, limits in {**IDENTITY_RANGES, **PICTURE_RANGES}.items()}
    | {name: st.floats(0, 1) for name in AU_COLUMNS}
)


@given(anyone)
def test_lips_and_lids_never_cross(parameters):
    shape = geometry.mouth(parameters)
    curves = (shape.upper_outer, shape.upper_inner, shape.lower_inner, shape.lower_outer)
    heights = np.stack([curve[:, 1] for curve in curves])
    assert np.isfinite(heights).all()
    assert (np.diff(heights, axis=0) >= -1e-12).all()
    assert shape.opening >= 0
    assert heights.max() < geometry.face_outline(parameters)[:, 1].max()
    for side in (-1, 1):
        lids = geometry.eye(parameters, side)
        assert (lids.lower[1:-1, 1] > lids.upper[1:-1, 1]).all()


def test_lengthen_moves_only_what_lies_below_the_nose(plain):
    dropped = with_units(plain, 26)
    y = np.array([-1.0, 0.0, 0.3, 1.0, 1.2])
    sunk = geometry.lengthen(y, dropped) - geometry.lengthen(y, plain)
    np.testing.assert_allclose(sunk, [0, 0, 0, 0.24, 0.24])


def test_splines_pass_through_their_points():
    points = np.array([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, -1.0)])
    closed = geometry.smooth_closed(points)
    opened = geometry.smooth_open(points)
    for point in points:
        assert np.linalg.norm(closed - point, axis=1).min() < 1e-12
        assert np.linalg.norm(opened - point, axis=1).min() < 1e-12
    np.testing.assert_allclose(opened[[0, -1]], points[[0, -1]])


def test_splines_keep_straight_lines_straight():
    line = np.outer(np.arange(5.0), (2.0, 1.0))
    curve = geometry.smooth_open(line)
    np.testing.assert_allclose(curve[:, 0], 2 * curve[:, 1], atol=1e-12)


def test_ribbon_has_the_asked_width():
    line = np.column_stack([np.linspace(0, 1, 5), np.zeros(5)])
    outline = geometry.ribbon(line, np.full(5, 0.2))
    np.testing.assert_allclose(outline[:5, 1] - outline[:4:-1, 1], 0.2)


def test_moved():
    np.testing.assert_array_equal(
        geometry.moved(np.array([[1.0, 2.0], [3.0, 4.0]]), 0.5, -1.0), [[1.5, 1.0], [3.5, 3.0]]
    )
