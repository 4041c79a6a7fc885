from __future__ import annotations

import numpy as np
import pytest

from ferclean.config.align import AlignSettings
from ferclean.faces.cut import cut_faces
from ferclean.faces.detect import Faces, make_faces
from ferclean.faces.template import face_template

PICTURE = np.random.default_rng(0).integers(0, 256, (80, 100, 3), dtype=np.uint8)


class Scripted:
    """Finds what it is told to find."""

    def __init__(self, *found: Faces) -> None:
        self.found = list(found)

    def detect(self, pictures):
        assert len(pictures) == len(self.found)
        return self.found


def face_at(x, y, size=32):
    box = np.array([[x, y, x + size, y + size]], dtype=float)
    return make_faces(box, [0.9], face_template(size)[None] + (x, y))


def both(one, other):
    parts = ("boxes", "scores", "landmarks")
    return make_faces(*(np.concatenate([getattr(f, p) for f in (one, other)]) for p in parts))


NOTHING = make_faces(None, None, None)


def test_a_face_on_the_template_is_cut_out_pixel_for_pixel():
    cut = cut_faces([PICTURE], detector=Scripted(face_at(20, 30)), settings=AlignSettings(size=32))
    # Landmarks are rounded to 0.01 pixel, which moves bicubic values by a grey level or two.
    difference = np.abs(cut[0].pixels.astype(int) - PICTURE[30:62, 20:52])
    assert difference.max() <= 6
    assert difference.mean() < 1
    assert cut[0].faces_found == 1


def test_the_policy_of_the_settings_is_followed():
    found = both(face_at(2, 2, 40), face_at(35, 25, 30))
    largest, central = (
        cut_faces([PICTURE], detector=Scripted(found), settings=AlignSettings(several_faces=policy))
        for policy in ("largest", "most_central")
    )
    assert largest[0].faces_found == central[0].faces_found == 2
    np.testing.assert_array_equal(largest[0].chosen.boxes[0, :2], (2, 2))
    np.testing.assert_array_equal(central[0].chosen.boxes[0, :2], (35, 25))


@pytest.mark.parametrize("policy", ["drop", "error"])
def test_without_a_face_there_are_no_pixels(policy):
    settings = AlignSettings(no_face=policy)
    cut = cut_faces([PICTURE], detector=Scripted(NOTHING), settings=settings)[0]
    assert (cut.pixels, cut.chosen, cut.faces_found) == (None, None, 0)


def test_unusable_landmarks_count_as_no_face():
    point = make_faces([[1, 1, 30, 30]], [0.9], np.full((1, 5, 2), 9.0))
    assert (
        cut_faces([PICTURE], detector=Scripted(point), settings=AlignSettings())[0].pixels is None
    )


@pytest.mark.parametrize(("color", "channels"), [("rgb", 3), ("grey", 1)])
def test_centre_crop_and_already_aligned_cut_the_largest_square(color, channels):
    settings = AlignSettings(size=80, color=color, no_face="centre_crop")
    cropped = cut_faces([PICTURE], detector=Scripted(NOTHING), settings=settings)[0]
    taken = cut_faces([PICTURE], detector=None, settings=settings)[0]
    assert cropped.pixels.shape == (80, 80, channels)
    np.testing.assert_array_equal(cropped.pixels, taken.pixels)
    if color == "rgb":
        np.testing.assert_array_equal(cropped.pixels, PICTURE[:, 10:90])
    assert (cropped.faces_found, taken.faces_found, taken.chosen) == (0, None, None)


def test_order_is_kept_over_faces_and_blanks():
    found = (NOTHING, face_at(20, 30), NOTHING, face_at(40, 10))
    cuts = cut_faces([PICTURE] * 4, detector=Scripted(*found), settings=AlignSettings(size=48))
    assert [cut.faces_found for cut in cuts] == [0, 1, 0, 1]
    np.testing.assert_array_equal(cuts[3].chosen.boxes, found[3].boxes)
