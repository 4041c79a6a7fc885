from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ferclean.datasets.pictures import PictureError
from ferclean.datasets.published import boxes as module
from ferclean.datasets.published.boxes import BOX_COLUMNS, cut_box, read_boxes
from fixtures.picture_files import encode, put_picture

HEIGHT, WIDTH = 20, 30
# Every pixel differs from every other: red is the column, green the row.
PHOTOGRAPH = np.stack(
    [
        np.broadcast_to(np.arange(WIDTH), (HEIGHT, WIDTH)),
        np.broadcast_to(np.arange(HEIGHT)[:, None], (HEIGHT, WIDTH)),
        np.full((HEIGHT, WIDTH), 7),
    ],
    axis=2,
).astype(np.uint8)


def read_png(data):
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((5, 2, 15, 12), (2, 12), (5, 15)),
        ((0, 0, 30, 20), (0, 20), (0, 30)),
        ((-4, -5, 3, 2), (0, 2), (0, 3)),
        ((28, 19, 99, 1e300), (19, 20), (28, 30)),
        ((-1e300, -9, 99, 99), (0, 20), (0, 30)),
        ((4.6, 2.2, 6.1, 3.9), (2, 4), (4, 7)),
        ((5, 2, 6, 3), (2, 3), (5, 6)),
    ],
)
def test_box_is_cut_and_clipped_without_loss(box, rows, columns):
    face = read_png(cut_box(PHOTOGRAPH, np.array(box, dtype=float)))
    np.testing.assert_array_equal(face, PHOTOGRAPH[slice(*rows), slice(*columns)])


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ((5, 2, 5, 12), "empty face box"),
        ((5, 12, 15, 12), "empty face box"),
        ((15, 2, 5, 12), "empty face box"),
        ((-8, -8, -2, -2), "face box outside the photograph"),
        ((30, 0, 40, 10), "face box outside the photograph"),
        ((0, 20, 10, 30), "face box outside the photograph"),
        ((-9, 2, 0, 12), "face box outside the photograph"),
        ((np.nan, 2, 5, 12), "face box is not four numbers"),
        ((0, 2, np.inf, 12), "face box is not four numbers"),
    ],
)
def test_box_without_a_face_is_refused(box, kind):
    with pytest.raises(PictureError) as caught:
        cut_box(PHOTOGRAPH, np.array(box, dtype=float))
    assert caught.value.reason.split(":")[0] == kind


def rows_of(*samples):
    """Path, reason and box texts as a frame and its boxes."""
    frame = pd.DataFrame(
        {"path": [path for path, _, _ in samples], "reason": [why for _, why, _ in samples]},
        dtype=object,
    )
    boxes = pd.DataFrame([box for *_, box in samples], columns=list(BOX_COLUMNS), dtype=object)
    return frame, boxes


def test_each_photograph_is_read_once(tmp_path, monkeypatch):
    (tmp_path / "y.png").write_bytes(encode(PHOTOGRAPH))
    (tmp_path / "b.png").write_bytes(encode(PHOTOGRAPH[:, ::-1].copy()))
    frame, boxes = rows_of(
        ("y.png", None, ("0", "0", "2", "2")),
        ("b.png", None, ("0", "0", "3", "3")),
        ("y.png", None, ("9", "9", "12", "13")),
        ("y.png", "unknown label", ("0", "0", "2", "2")),
        ("c.png", "unknown label", ("0", "0", "2", "2")),
        ("b.png", None, ("what", "0", "2", "2")),
        ("b.png", None, ("", "0", "2", "2")),
    )
    opened = []

    def read(root, path, *, max_pixels, plain=module.read_inside):
        opened.append(path)
        return plain(root, path, max_pixels=max_pixels)

    monkeypatch.setattr(module, "read_inside", read)
    found = list(read_boxes(tmp_path.resolve(), frame, boxes, max_pixels=1000))
    assert opened == ["y.png", "b.png"]  # in the order of the rows, not of the names
    assert [row for row, _ in found] == [0, 2, 1, 5, 6]
    faces = dict(found)
    np.testing.assert_array_equal(read_png(faces[0]), PHOTOGRAPH[:2, :2])
    np.testing.assert_array_equal(read_png(faces[2]), PHOTOGRAPH[9:13, 9:12])
    np.testing.assert_array_equal(read_png(faces[1]), PHOTOGRAPH[:3, :-4:-1])
    assert faces[5].reason == faces[6].reason == "face box is not four numbers"


def test_a_photograph_that_cannot_be_read_is_said_of_all_its_faces(tmp_path):
    root = tmp_path / "set"
    put_picture(root / "large.png", 1)  # 48 x 48
    put_picture(tmp_path / "secret.png", 2)
    (root / "broken.jpg").write_bytes(b"no picture")
    box = ("0", "0", "9", "9")
    names = ("gone.png", "large.png", "../secret.png", "broken.jpg", "gone.png")
    frame, boxes = rows_of(*((name, None, box) for name in names))
    found = dict(read_boxes(root.resolve(), frame, boxes, max_pixels=2303))
    assert {row: error.reason for row, error in found.items()} == {
        0: "file not found",
        4: "file not found",
        1: "too many pixels: 48 x 48",
        2: "path leads outside the data folder",
        3: "not a picture in a supported format",
    }


def test_box_is_that_of_the_upright_photograph(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    (tmp_path / "a.png").write_bytes(encode(PHOTOGRAPH[::-1, ::-1].copy(), exif=turned))
    frame, boxes = rows_of(("a.png", None, ("1", "2", "5", "6")))
    ((_, face),) = read_boxes(tmp_path.resolve(), frame, boxes, max_pixels=1000)
    np.testing.assert_array_equal(read_png(face), PHOTOGRAPH[2:6, 1:5])
