"""Faces cut out of photographs, by the boxes that a publisher's list gives."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ferclean.datasets.files import read_inside
from ferclean.datasets.pictures import PictureError, decode_picture

BOX_COLUMNS = ("left", "top", "right", "bottom")


def read_boxes(
    root: Path, frame: pd.DataFrame, boxes: pd.DataFrame, *, max_pixels: int
) -> Iterator[tuple[int, bytes | PictureError]]:
    """Stream the faces of photographs, each photograph read and decoded once.

    The rows of one photograph come together, photographs in the order of their first row. Rows
    that have a reason are left out: decoding a whole photograph for nothing takes long.

    Parameters
    ----------
    root : Path
        The folder, already resolved.
    frame : pandas.DataFrame
        ``path`` of each row's photograph and ``reason``, on a ``RangeIndex``.
    boxes : pandas.DataFrame
        ``left``, ``top``, ``right`` and ``bottom`` in pixels of the upright photograph, texts or
        numbers, a row for each row of `frame`; right and bottom lie outside of the face.
    max_pixels : int
        See :func:`ferclean.datasets.pictures.decode_picture`.

    Yields
    ------
    row : int
        Row number.
    data : bytes or PictureError
        The face as PNG, or why there is none.
    """
    edges = np.column_stack(
        [pd.to_numeric(boxes[name], errors="coerce").to_numpy(np.float64) for name in BOX_COLUMNS]
    )
    usable = frame["reason"].isna().to_numpy()
    numbers = pd.Series(np.flatnonzero(usable))
    paths = frame["path"].to_numpy(dtype=object)[usable]
    for path, rows in numbers.groupby(paths, sort=False):
        # A function of its own, so that a photograph is gone before the next is decoded.
        yield from _read_faces(root, str(path), rows.tolist(), edges, max_pixels)


def cut_box(pixels: np.ndarray, box: np.ndarray) -> bytes:
    """Cut a face out of a photograph.

    Parameters
    ----------
    pixels : numpy.ndarray
        ``(H, W, 3)`` uint8.
    box : numpy.ndarray
        ``(4,)`` left, top, right, bottom. What of it reaches beyond the photograph is left away;
        fractions of a pixel belong to the face.

    Returns
    -------
    bytes
        A PNG, which loses nothing of the decoded pixels.

    Raises
    ------
    PictureError
        If the box is not four numbers, holds nothing, or lies outside the photograph.
    """
    if not np.isfinite(box).all():
        raise PictureError("face box is not four numbers")
    shown = ", ".join(f"{edge:g}" for edge in box)
    if box[2] <= box[0] or box[3] <= box[1]:
        raise PictureError(f"empty face box: {shown}")
    height, width = pixels.shape[:2]
    sides = np.array([width, height])
    left, top = np.clip(np.floor(box[:2]), 0, sides).astype(int)
    right, bottom = np.clip(np.ceil(box[2:]), 0, sides).astype(int)
    if right <= left or bottom <= top:
        raise PictureError(f"face box outside the photograph: {shown} of {width} x {height}")
    stream = io.BytesIO()
    Image.fromarray(pixels[top:bottom, left:right]).save(stream, "PNG")
    return stream.getvalue()


def _read_faces(
    root: Path, path: str, rows: list[int], edges: np.ndarray, max_pixels: int
) -> Iterator[tuple[int, bytes | PictureError]]:
    try:
        pixels = decode_picture(
            read_inside(root, path, max_pixels=max_pixels), max_pixels=max_pixels
        )
    except PictureError as error:
        yield from ((row, error) for row in rows)
        return
    for row in rows:
        try:
            yield row, cut_box(pixels, edges[row])
        except PictureError as error:
            yield row, error
