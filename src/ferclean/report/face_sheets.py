"""Faces packed into sheets: a page reads a hundred faces at once, and only those it shows."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

# Faces a row and a column of a sheet.
ACROSS = 10
_LARGEST_SIDE = 112
_QUALITY = 85
# Edges are drawn out by half a JPEG block: an enlarged face must not show its neighbour.
_BLOCK, _MARGIN = 8, 4


@dataclass(frozen=True)
class SheetLayout:
    """Where faces lie on a sheet.

    Attributes
    ----------
    height, width : int
        Of a face, in pixels.
    margin : int
        Drawn-out edge above and left of it.
    tile_height, tile_width : int
        From one face to the next.
    """

    height: int
    width: int
    margin: int
    tile_height: int
    tile_width: int

    @property
    def faces(self) -> int:
        """Most faces a sheet."""
        return ACROSS * ACROSS


def sheet_layout(height: int, width: int) -> SheetLayout:
    """Lay out faces of a size; at most 112 pixels a side are shown."""
    shrink = min(1.0, _LARGEST_SIDE / max(height, width))
    shown = [max(1, round(side * shrink)) for side in (height, width)]
    tile = [-(-(side + 2 * _MARGIN) // _BLOCK) * _BLOCK for side in shown]
    return SheetLayout(shown[0], shown[1], _MARGIN, tile[0], tile[1])


def draw_sheet(faces: np.ndarray, layout: SheetLayout) -> bytes:
    """Draw one sheet, row by row, as JPEG.

    Parameters
    ----------
    faces : numpy.ndarray
        ``(n, H, W, C)`` uint8, n from 1 to 100, with one or three channels.
    layout : SheetLayout
        Of :func:`sheet_layout` for H and W.

    Returns
    -------
    bytes
        Ten tiles wide and as many high as the faces need; the same faces give the same bytes.
    """
    count, channels = len(faces), faces.shape[3] if faces.ndim == 4 else 0
    if not 1 <= count <= layout.faces or channels not in (1, 3) or faces.dtype != np.uint8:
        raise ValueError(f"a sheet holds (1..100, H, W, 1 or 3) uint8, found {faces.shape}")
    tall, wide = layout.tile_height, layout.tile_width
    sheet = np.zeros((-(-count // ACROSS) * tall, ACROSS * wide, channels), dtype=np.uint8)
    for place, face in enumerate(faces):
        row, column = divmod(place, ACROSS)
        tile = sheet[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
        tile[:] = _tile(face, layout)
    stream = io.BytesIO()
    # Not optimised: Pillow's buffer for that is too small where many faces are full of noise.
    _picture(sheet).save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()


def _tile(face: np.ndarray, layout: SheetLayout) -> np.ndarray:
    shown = (layout.width, layout.height)
    if face.shape[:2] != (layout.height, layout.width):
        face = np.asarray(_picture(face).resize(shown, Image.Resampling.LANCZOS))
    face = face.reshape(layout.height, layout.width, -1)
    right = layout.tile_width - layout.width - layout.margin
    below = layout.tile_height - layout.height - layout.margin
    return np.pad(face, ((layout.margin, below), (layout.margin, right), (0, 0)), mode="edge")


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
