import numpy as np
import pytest
from PIL import Image, ImageChops

from ferclean.predict.annotate import annotated, colour_of, face_text
from ferclean.predict.results import FaceResult, PhotoResult

SCORES = {"happy": 0.7, "sad": 0.2, "angry": 0.1}


def face(box):
    return FaceResult(SCORES, {"entropy": 0.8}, box)


def result(*faces, size):
    return PhotoResult("a.png", "faces" if faces else "no_face", None, size, tuple(faces))


def changed(picture, drawn):
    """Return the box of what was drawn, in a picture that was not enlarged."""
    return ImageChops.difference(Image.fromarray(picture), Image.fromarray(drawn)).getbbox()


@pytest.mark.parametrize("shape", [(48, 48), (1, 1), (20, 900), (600, 800), (3000, 4000), (900, 3)])
def test_pictures_of_any_size_and_boxes_beyond_their_edges_are_drawn(shape):
    height, width = shape
    picture = np.full((height, width, 3), 90, dtype=np.uint8)
    boxes = [(-9.0, -9.0, width / 2, height / 2), (width / 2, 0.0, width + 40.0, height + 9.0)]
    drawn = annotated(picture, result(*map(face, boxes), size=(width, height)))
    assert max(drawn.shape[:2]) == max(480, height, width)
    ratio = max(drawn.shape[:2]) / max(height, width)
    assert drawn.shape[1] == max(1, round(width * ratio))
    assert (drawn != drawn[-1, -1]).any()


def test_the_frame_stands_at_the_box_and_nothing_is_drawn_far_from_it():
    picture = np.full((600, 800, 3), 90, dtype=np.uint8)
    drawn = annotated(picture, result(face((300.0, 200.0, 400.0, 350.0)), size=(800, 600)))
    left, top, right, bottom = changed(picture, drawn)
    assert left == pytest.approx(300, abs=2) and bottom == pytest.approx(350, abs=2)
    assert 160 < top < 190 and 399 < right < 480
    colour = tuple(int(colour_of("happy", SCORES)[i : i + 2], 16) for i in (1, 3, 5))
    assert tuple(drawn[275, 300]) == colour and tuple(drawn[275, 350]) == (90, 90, 90)


def test_letters_grow_with_the_picture():
    heights = []
    for side in (600, 3000):
        picture = np.full((side, side, 3), 90, dtype=np.uint8)
        box = (side / 2, side / 2, side / 2 + 50, side / 2 + 50)
        _, top, _, _ = changed(picture, annotated(picture, result(face(box), size=(side, side))))
        heights.append(side / 2 - top)
    assert heights[0] >= 14 and 2.5 < heights[1] / heights[0] < 5


def test_labels_of_neighbours_do_not_cover_each_other():
    picture = np.full((600, 800, 3), 90, dtype=np.uint8)
    boxes = [(300.0, 200.0, 400.0, 350.0), (310.0, 205.0, 410.0, 355.0)]
    one = annotated(picture, result(face(boxes[0]), size=(800, 600)))
    _, _, _, bottom = changed(picture, one)
    _, _, _, lower = changed(
        picture, annotated(picture, result(*map(face, boxes), size=(800, 600)))
    )
    assert lower > bottom + 10  # the second label went below its box


def test_a_photograph_without_a_face_says_so_and_text_names_number_and_score():
    picture = np.full((500, 500, 3), 255, dtype=np.uint8)
    assert changed(picture, annotated(picture, result(size=(500, 500))))[:2] == (0, 0)
    assert face_text(face(None), 2) == "2: happy 70%"
    assert face_text(face(None), None) == "happy 70%"
