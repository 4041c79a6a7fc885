"""Cut aligned faces out of pictures, antialiased."""

from __future__ import annotations

import numpy as np
from PIL import Image

_BICUBIC = Image.Resampling.BICUBIC
# Pixels beyond the outermost sample that a bicubic kernel reads.
_KERNEL_REACH = 2


def to_color(picture: np.ndarray, color: str) -> np.ndarray:
    """Return ``(H, W, 3)`` RGB as it is (``"rgb"``) or as ``(H, W, 1)`` luma (``"grey"``).

    Luma is Pillow's (ITU-R BT.601); of three equal channels it is the channel itself.
    """
    if color == "rgb":
        return picture
    return np.asarray(Image.fromarray(picture).convert("L"))[..., None]


def warp_face(picture: np.ndarray, matrix: np.ndarray, *, size: int) -> np.ndarray:
    """Resample a picture so that `matrix` maps it onto an aligned face.

    A picture that is to become smaller is first reduced with an antialiasing filter, so that
    every source pixel counts; rotation and the rest of the scale are then bicubic. What lies
    outside the picture repeats its edge.

    Parameters
    ----------
    picture : numpy.ndarray
        ``(H, W, C)`` uint8, C is 1 or 3.
    matrix : numpy.ndarray
        ``(2, 3)``: where a pixel of the picture (centres at whole numbers) stands in the face.
    size : int
        Height and width of the face.

    Returns
    -------
    numpy.ndarray
        ``(size, size, C)`` uint8.
    """
    image = _to_image(picture)
    inverse = _face_to_picture(matrix)
    ratio = float(np.sqrt(abs(np.linalg.det(inverse[:, :2]))))
    if ratio > 1:
        reduced = (max(1, round(image.width / ratio)), max(1, round(image.height / ratio)))
        inverse *= np.array([reduced[0] / image.width, reduced[1] / image.height])[:, None]
        image = image.resize(reduced, _BICUBIC, reducing_gap=2.0)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]])
    reached = corners @ inverse[:, :2].T + inverse[:, 2]
    low = np.floor(reached.min(axis=0)).astype(int) - _KERNEL_REACH
    high = np.ceil(reached.max(axis=0)).astype(int) + _KERNEL_REACH
    inverse[:, 2] -= low
    region = _region(np.asarray(image), low, high)
    face = Image.fromarray(region).transform(
        (size, size), Image.Transform.AFFINE, tuple(inverse.ravel()), _BICUBIC
    )
    return np.asarray(face).reshape(size, size, -1)


def centre_square(picture: np.ndarray, *, size: int) -> np.ndarray:
    """Cut out the largest centred square and resize it, antialiased.

    Parameters
    ----------
    picture : numpy.ndarray
        ``(H, W, C)`` uint8. Of an odd surplus the larger part is cut at the right or bottom.
    size : int
        Height and width of the result.

    Returns
    -------
    numpy.ndarray
        ``(size, size, C)`` uint8; a picture of that very size comes back unchanged.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    if side == size:
        return square
    resized = _to_image(square).resize((size, size), _BICUBIC, reducing_gap=2.0)
    return np.asarray(resized).reshape(size, size, -1)


def _to_image(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)


def _face_to_picture(matrix: np.ndarray) -> np.ndarray:
    """Invert, and count from the first pixel's corner as Pillow does, not from its centre."""
    linear = np.linalg.inv(matrix[:, :2])
    shift = -linear @ matrix[:, 2]
    return np.column_stack([linear, shift + 0.5 - linear @ (0.5, 0.5)])


def _region(pixels: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    columns = np.arange(low[0], high[0]).clip(0, pixels.shape[1] - 1)
    rows = np.arange(low[1], high[1]).clip(0, pixels.shape[0] - 1)
    return np.ascontiguousarray(pixels[rows[:, None], columns])
