"""The side input ``landmarks`` of the methods that look at faces in a second space."""

from __future__ import annotations

import numpy as np

from ferclean.errors import FercleanError
from ferclean.methods.base import Context


def landmarks_of(context: Context, *, way_out: str) -> np.ndarray:
    """Return the landmark residuals of all training rows.

    Parameters
    ----------
    context : Context
        With ``side["landmarks"]``, ``(N, 10)``; NaN where a face has none.
    way_out : str
        The setting with which the method does without, for the message.

    Returns
    -------
    numpy.ndarray
        ``(N, 10)`` float32, finite.

    Raises
    ------
    FercleanError
        If a face has no landmarks.
    """
    landmarks = context.side["landmarks"]
    missing = int((~np.isfinite(landmarks).all(axis=1)).sum())
    if missing:
        raise FercleanError(
            f"{missing} of {len(landmarks)} training faces have no landmarks (align.detector "
            "already_aligned looks for none, align.no_face centre_crop keeps faces without): "
            f"set {way_out}, or align.detector to mtcnn"
        )
    return landmarks
