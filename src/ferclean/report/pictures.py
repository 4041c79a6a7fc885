"""Aligned faces as data URIs."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

_LARGEST_SIDE = 112
_QUALITY = 82


def face_uri(face: np.ndarray) -> str:
    """Encode a face as a JPEG data URI of at most 112 pixels a side.

    Parameters
    ----------
    face : numpy.ndarray
        ``(H, W, C)`` uint8 with one or three channels.

    Returns
    -------
    str
        For the ``src`` of an ``<img>``.
    """
    if face.ndim != 3 or face.shape[2] not in (1, 3) or face.dtype != np.uint8:
        raise ValueError(f"a face must be (H, W, 1 or 3) uint8, found {face.shape} {face.dtype}")
    picture = Image.fromarray(face[:, :, 0] if face.shape[2] == 1 else face)
    picture.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
