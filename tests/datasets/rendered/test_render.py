from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ferclean.config.data import CANONICAL_CLASSES, RenderedSettings
from ferclean.datasets.rendered import encode_jpeg, plan_faces, render_face
from ferclean.datasets.rendered.pose import Pose

SIZE = 160
ROWS = plan_faces(RenderedSettings(pictures=40), CANONICAL_CLASSES).to_dict("records")


def patch(picture, plain, box):
    """Mean grey level of a canonical box (left, top, right, bottom) on a frontal face."""
    pose = Pose.of(plain, SIZE)
    (left, top), (right, bottom) = pose.project(np.array([box[:2], box[2:]]))
    region = picture[round(top) : round(bottom) + 1, round(left) : round(right) + 1]
    return region.mean()


def test_a_picture_is_colour_and_has_the_asked_size(plain):
    for size in (64, 97, 160):
        picture = render_face(plain, size)
        assert picture.shape == (size, size, 3)
        assert picture.dtype == np.uint8
    assert picture[..., 0].mean() > picture[..., 2].mean() + 5  # skin is no grey


def test_the_same_row_gives_the_same_bytes_in_any_order():
    forwards = [encode_jpeg(render_face(row, 96)) for row in ROWS[:6]]
    backwards = [encode_jpeg(render_face(row, 96)) for row in reversed(ROWS[:6])]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 6


def test_only_drawn_columns_are_read():
    row = {
        name: value
        for name, value in ROWS[0].items()
        if name not in ("sample_id", "path", "split", "identity", "true")
        and not name.startswith("p_")
    }
    np.testing.assert_array_equal(render_face(row, 96), render_face(ROWS[0], 96))


def test_another_texture_seed_changes_the_noise_not_the_face(plain):
    first, second = render_face(plain, SIZE), render_face({**plain, "texture_seed": 8}, SIZE)
    assert (first != second).any()
    face = (slice(60, 130), slice(50, 110))
    difference = np.abs(first[face].astype(float) - second[face])
    assert difference.mean() < 3 * plain["noise"]


def test_open_mouth_shows_the_dark_inside(plain):
    box = (-0.08, 0.80, 0.08, 0.90)
    closed = patch(render_face(plain, SIZE), plain, box)
    opened = patch(render_face({**plain, "au_26": 1.0}, SIZE), plain, box)
    assert opened < 0.75 * closed


def test_raised_upper_lids_show_more_white(plain):
    centre = plain["eye_spacing"]
    box = (centre - 0.16, -0.30, centre - 0.10, -0.24)
    pale = {**plain, "skin_tone": 0.8}
    rest = patch(render_face(pale, SIZE), pale, box)
    raised = patch(render_face({**pale, "au_5": 1.0}, SIZE), pale, box)
    assert abs(raised - rest) > 10


def test_lowered_brows_move_down_in_the_picture(plain):
    above, below = (0.18, -0.48, 0.30, -0.42), (0.16, -0.32, 0.26, -0.27)
    rest, frown = render_face(plain, SIZE), render_face({**plain, "au_4": 1.0}, SIZE)
    assert patch(frown, plain, above) > 1.1 * patch(rest, plain, above)
    assert patch(frown, plain, below) < 0.9 * patch(rest, plain, below)


def test_light_from_the_right_lights_the_right_cheek(plain):
    left, right = (-0.75, 0.1, -0.55, 0.4), (0.55, 0.1, 0.75, 0.4)
    lit = render_face({**plain, "light_x": 0.8}, SIZE)
    assert patch(lit, plain, right) > 1.15 * patch(lit, plain, left)
    mirrored = render_face({**plain, "light_x": -0.8}, SIZE)
    assert patch(mirrored, plain, left) > 1.15 * patch(mirrored, plain, right)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("skin_tone", 1.0, 0.0), ("exposure", 0.72, 0.96), ("light_strength", 0.52, 0.85)],
)
def test_what_brightens_the_cheek(plain, name, low, high):
    box = (0.45, 0.2, 0.6, 0.35)
    dark, bright = (patch(render_face({**plain, name: v}, SIZE), plain, box) for v in (low, high))
    assert bright > 1.05 * dark


@pytest.mark.parametrize("style", range(7))
def test_every_hair_style_beard_and_glasses_change_the_picture(plain, style):
    bald = render_face({**plain, "hair_style": style + 0.5}, 96).astype(int)
    for worn in ({"beard": 0.0}, {"glasses": 0.01}, {"hair_style": (style + 1) % 7 + 0.5}):
        other = render_face({**plain, "hair_style": style + 0.5, **worn}, 96)
        no_beard = "beard" in worn and style in (2, 3, 6)
        assert (np.abs(other - bald).max() > 60) != no_beard


def test_tiny_sizes_are_refused(plain):
    with pytest.raises(ValueError, match="at least 16"):
        render_face(plain, 15)


def test_jpeg_is_close_to_the_picture(plain):
    picture = render_face({**plain, "noise": 1.0}, SIZE)
    with Image.open(io.BytesIO(encode_jpeg(picture))) as image:
        assert image.format == "JPEG"
        decoded = np.asarray(image.convert("RGB")).astype(float)
    assert np.abs(decoded - picture).mean() < 4
