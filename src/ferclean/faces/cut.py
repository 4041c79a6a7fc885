"""From pictures to aligned faces: detect, select, warp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ferclean.config.align import AlignSettings
from ferclean.faces.detect import FaceDetector, Faces
from ferclean.faces.select import select_face, usable_faces
from ferclean.faces.template import face_template, similarity_transform
from ferclean.faces.warp import centre_square, to_color, warp_face


@dataclass(frozen=True)
class CutFace:
    """What became of one picture.

    Attributes
    ----------
    pixels : numpy.ndarray or None
        ``(size, size, C)`` uint8; None where no face was found and none was cut at the centre.
    faces_found : int or None
        Number of faces in the picture; None where none was looked for.
    chosen : Faces or None
        The one face that was cut out; None for centre cuts and already aligned pictures.
    """

    pixels: np.ndarray | None
    faces_found: int | None = None
    chosen: Faces | None = None


def cut_faces(
    pictures: Sequence[np.ndarray], *, detector: FaceDetector | None, settings: AlignSettings
) -> list[CutFace]:
    """Align one face of every picture.

    Parameters
    ----------
    pictures : sequence of numpy.ndarray
        ``(H, W, 3)`` uint8 RGB each; sizes may differ.
    detector : FaceDetector or None
        None takes the pictures as aligned faces: the largest centred square is resized.
    settings : AlignSettings
        Section ``align``. With ``no_face: centre_crop`` a picture without a face gives its
        largest centred square; otherwise its ``pixels`` are None.

    Returns
    -------
    list of CutFace
        One a picture, in order.
    """
    if detector is None:
        return [CutFace(_centre(picture, settings)) for picture in pictures]
    found = detector.detect(pictures)
    return [
        _cut(picture, usable_faces(faces), settings)
        for picture, faces in zip(pictures, found, strict=True)
    ]


def cut_every_face(picture: np.ndarray, faces: Faces, settings: AlignSettings) -> list[np.ndarray]:
    """Align all faces of one picture.

    Parameters
    ----------
    picture : numpy.ndarray
        ``(H, W, 3)`` uint8 RGB.
    faces : Faces
        Usable ones, see :func:`~ferclean.faces.select.usable_faces`.
    settings : AlignSettings
        Section ``align``: size, margin and colours.

    Returns
    -------
    list of numpy.ndarray
        ``(size, size, C)`` uint8 each, in the order of `faces`.
    """
    template = face_template(settings.size, margin=settings.margin)
    coloured = to_color(picture, settings.color)
    return [
        warp_face(coloured, similarity_transform(landmarks, template), size=settings.size)
        for landmarks in faces.landmarks
    ]


def _cut(picture: np.ndarray, faces: Faces, settings: AlignSettings) -> CutFace:
    if not len(faces):
        crop = _centre(picture, settings) if settings.no_face == "centre_crop" else None
        return CutFace(crop, faces_found=0)
    height, width = picture.shape[:2]
    position = select_face(faces, policy=settings.several_faces, height=height, width=width)
    chosen = faces.take(np.array([position]))
    (pixels,) = cut_every_face(picture, chosen, settings)
    return CutFace(pixels, faces_found=len(faces), chosen=chosen)


def _centre(picture: np.ndarray, settings: AlignSettings) -> np.ndarray:
    return centre_square(to_color(picture, settings.color), size=settings.size)
