import io

import numpy as np
import pytest
from PIL import Image

from ferclean.report.face_sheets import ACROSS, draw_sheet, sheet_layout


def smooth_faces(count, height, width, channels):
    """Faces that JPEG keeps well: a slope whose start tells the face."""
    slope = np.linspace(0, 60, height * width).reshape(height, width, 1)
    start = np.linspace(20, 180, count)[:, None, None, None]
    return np.broadcast_to(start + slope, (count, height, width, channels)).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 10, 11, 100])
def test_each_face_lies_where_the_page_looks_for_it(count, channels):
    faces = smooth_faces(count, 48, 40, channels)
    layout = sheet_layout(48, 40)
    assert (layout.height, layout.width) == (48, 40)
    sheet = np.asarray(Image.open(io.BytesIO(draw_sheet(faces, layout))))
    assert sheet.shape[:2] == (-(-count // ACROSS) * layout.tile_height, 10 * layout.tile_width)
    sheet = sheet.reshape(*sheet.shape[:2], channels).astype(int)
    for place in range(count):
        top = place // ACROSS * layout.tile_height + layout.margin
        left = place % ACROSS * layout.tile_width + layout.margin
        drawn = sheet[top : top + 48, left : left + 40]
        assert np.abs(drawn - faces[place]).mean() < 3
        # What lies around it is its own edge.
        edge = sheet[top - 2, left : left + 40]
        assert np.abs(edge - faces[place][0]).mean() < 6


def test_large_faces_shrink_and_small_ones_do_not_grow():
    layout = sheet_layout(224, 200)
    assert (layout.height, layout.width) == (112, 100)
    assert layout.tile_height % 8 == layout.tile_width % 8 == 0
    faces = smooth_faces(2, 224, 200, 3)
    sheet = np.asarray(Image.open(io.BytesIO(draw_sheet(faces, layout))))
    assert sheet.shape == (layout.tile_height, 10 * layout.tile_width, 3)
    small = sheet_layout(24, 24)
    assert (small.height, small.tile_height) == (24, 32)


def test_the_same_faces_give_the_same_bytes_and_other_shapes_are_refused():
    faces = np.random.default_rng(0).integers(0, 256, (7, 24, 24, 3), dtype=np.uint8)
    layout = sheet_layout(24, 24)
    assert draw_sheet(faces, layout) == draw_sheet(faces.copy(), layout)
    for bad in (faces[:0], faces[0], faces.astype(float), faces[..., :2], np.repeat(faces, 15, 0)):
        with pytest.raises(ValueError, match="a sheet holds"):
            draw_sheet(bad, layout)
