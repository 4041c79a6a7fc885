"""What is said of one photograph and its faces, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ferclean.faces.detect import LANDMARKS

Status = Literal["faces", "no_face", "unreadable"]
_DIGITS = 6
_BOX = ("box_x1", "box_y1", "box_x2", "box_y2")


@dataclass(frozen=True)
class FaceResult:
    """What the model says of one face.

    Attributes
    ----------
    scores : dict of str to float
        Probability of each class, in the model's order.
    uncertainty : dict of str to float
        See :func:`ferclean.predict.doubt.doubts`.
    box : tuple of float or None
        Left, top, right, bottom in pixels of the upright photograph; ``None``, like the next
        two, where the photograph was taken as a face already cut.
    landmarks : tuple of (float, float) or None
        x, y in the order of :data:`ferclean.faces.detect.LANDMARKS`.
    detection_score : float or None
        In [0, 1], how sure the detector is that this is a face.
    """

    scores: dict[str, float]
    uncertainty: dict[str, float]
    box: tuple[float, ...] | None = None
    landmarks: tuple[tuple[float, float], ...] | None = None
    detection_score: float | None = None

    @property
    def label(self) -> str:
        """The most likely class, of equals the first."""
        return max(self.scores, key=self.scores.__getitem__)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        points = None
        if self.landmarks is not None:
            points = dict(zip(LANDMARKS, map(list, self.landmarks), strict=True))
        return {
            "label": self.label,
            "scores": _rounded(self.scores),
            "uncertainty": _rounded(self.uncertainty),
            "box": None if self.box is None else list(self.box),
            "landmarks": points,
            "detection_score": self.detection_score,
        }


@dataclass(frozen=True)
class PhotoResult:
    """What became of one photograph.

    Attributes
    ----------
    path : str
        As it was named.
    status : {"faces", "no_face", "unreadable"}
    reason : str or None
        Why it could not be read.
    size : tuple of int or None
        Width and height, upright.
    faces : tuple of FaceResult
        Largest first.
    """

    path: str
    status: Status
    reason: str | None = None
    size: tuple[int, int] | None = None
    faces: tuple[FaceResult, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values: the line of ``--json``."""
        width, height = self.size or (None, None)
        return {
            "path": self.path,
            "status": self.status,
            "reason": self.reason,
            "width": width,
            "height": height,
            "faces": [face.as_dict() for face in self.faces],
        }


def table_columns(classes: Sequence[str], doubts: Sequence[str]) -> list[str]:
    """Return the columns of ``--csv``."""
    points = [f"landmark_{name}_{axis}" for name in LANDMARKS for axis in "xy"]
    return [
        *("path", "status", "reason", "face", "label"),
        *(f"p_{name}" for name in classes),
        *doubts,
        *_BOX,
        *points,
        "detection_score",
    ]


def table_rows(photo: PhotoResult) -> Iterator[dict[str, Any]]:
    """Yield a row a face, or one that says why there is none."""
    first = {"path": photo.path, "status": photo.status, "reason": photo.reason}
    if not photo.faces:
        yield first
    for number, face in enumerate(photo.faces, start=1):
        row: dict[str, Any] = {**first, "face": number, "label": face.label}
        row |= {f"p_{name}": score for name, score in _rounded(face.scores).items()}
        row |= _rounded(face.uncertainty)
        if face.box is not None:
            row |= zip(_BOX, face.box, strict=True)
        for name, point in zip(LANDMARKS, face.landmarks or (), strict=False):
            row |= {f"landmark_{name}_x": point[0], f"landmark_{name}_y": point[1]}
        yield {**row, "detection_score": face.detection_score}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in values.items()}
