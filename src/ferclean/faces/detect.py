"""What a face detector is, free of torch: found faces, the protocol, batches of equal size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


@dataclass(frozen=True)
class Faces:
    """The faces of one picture, largest first.

    Attributes
    ----------
    boxes : numpy.ndarray
        ``(F, 4)`` float64: left, top, right, bottom in pixels; may reach over the picture's edge.
    scores : numpy.ndarray
        ``(F,)`` float64 in [0, 1], higher is surer.
    landmarks : numpy.ndarray
        ``(F, 5, 2)`` float64 x, y in the order of :data:`LANDMARKS`, left as seen in the picture.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: np.ndarray) -> Faces:
        """Return some of the faces, by positions or mask."""
        return Faces(self.boxes[rows], self.scores[rows], self.landmarks[rows])


class FaceDetector(Protocol):
    """Anything that finds faces in pictures."""

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Faces]:
        """Find faces.

        Parameters
        ----------
        pictures : sequence of numpy.ndarray
            ``(H, W, 3)`` uint8 RGB each; sizes may differ.

        Returns
        -------
        list of Faces
            One a picture, in order; of length 0 where no face is found.
        """
        ...


def make_faces(boxes: object, scores: object, landmarks: object) -> Faces:
    """Turn what a detector library gives into :class:`Faces`, largest first.

    Parameters
    ----------
    boxes, scores, landmarks : object
        Arrays of F faces of any dtype, ``object`` included; ``None``, or a list that holds only
        ``None``, for no face (facenet_pytorch gives both).

    Returns
    -------
    Faces
        Pixels rounded to 0.01 and scores to 0.0001, so that the last bits of a network's output,
        which depend on the processor, hardly ever reach a file.
    """
    if boxes is None:
        return Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
    # Via lists: a ragged object array does not convert in one go.
    box_array = np.asarray(list(boxes), dtype=np.float64).reshape(-1, 4)  # type: ignore[call-overload]
    score_array = np.asarray(list(scores), dtype=np.float64).reshape(-1)  # type: ignore[call-overload]
    point_array = np.asarray(list(landmarks), dtype=np.float64).reshape(-1, 5, 2)  # type: ignore[call-overload]
    faces = Faces(box_array.round(2), score_array.round(4), point_array.round(2))
    return faces.take(np.argsort(-box_areas(faces.boxes), kind="stable"))


def box_areas(boxes: np.ndarray) -> np.ndarray:
    """Return the ``(F,)`` areas of ``(F, 4)`` boxes."""
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def equal_size_groups(pictures: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """Yield the positions of the pictures of each size, sizes in order of first appearance."""
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position, picture in enumerate(pictures):
        groups[picture.shape].append(position)
    yield from groups.values()
