"""Which face of a picture is taken."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ferclean.errors import unknown_name
from ferclean.faces.detect import Faces, box_areas


def select_face(faces: Faces, *, policy: str, height: int, width: int) -> int:
    """Choose one face.

    Parameters
    ----------
    faces : Faces
        At least one face.
    policy : str
        ``"largest"`` (box area), ``"most_central"`` (box centre nearest to the picture's centre)
        or ``"highest_score"``. Of equal faces the first is taken.
    height, width : int
        Size of the picture.

    Returns
    -------
    int
        Position in `faces`.

    Raises
    ------
    ValueError
        If there is no face.
    FercleanError
        If the policy is unknown.
    """
    if policy not in _MERITS:
        raise unknown_name("policy for several faces", policy, _MERITS)
    if not len(faces):
        raise ValueError("there is no face to choose from")
    return int(np.argmax(_MERITS[policy](faces, height, width)))


def usable_faces(faces: Faces) -> Faces:
    """Leave out faces whose landmarks no similarity transform can use.

    Those are landmarks that are not finite, or that all lie within one pixel.
    """
    spans = np.ptp(faces.landmarks, axis=1).max(axis=1, initial=0)
    finite = np.isfinite(faces.landmarks).all(axis=(1, 2)) & np.isfinite(faces.boxes).all(axis=1)
    return faces.take(finite & (spans > 1))


def _centrality(faces: Faces, height: int, width: int) -> np.ndarray:
    centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    return np.asarray(-np.linalg.norm(centres - np.array([width, height]) / 2, axis=1))


_MERITS: dict[str, Callable[[Faces, int, int], np.ndarray]] = {
    "largest": lambda faces, height, width: box_areas(faces.boxes),
    "most_central": _centrality,
    "highest_score": lambda faces, height, width: faces.scores,
}
