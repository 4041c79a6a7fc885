"""Draw boxes and labels into a photograph, readable at any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ferclean.predict.results import FaceResult, PhotoResult

# Okabe and Ito's colours, told apart by people who see few colours; for light and dark pictures.
_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
_LIGHT = frozenset(("#E69F00", "#56B4E9", "#F0E442", "#CC79A7"))
# Smaller pictures are enlarged: no label of a readable size fits into them.
_SMALLEST_SIDE = 480
# Height of the letters as a share of the longer side: some 18 pixels on a screen of 1,000.
_LETTERS = 0.018
_SMALLEST_LETTERS = 13


@dataclass(frozen=True)
class _Tag:
    """A label with its place: left, top, right, bottom."""

    text: str
    place: tuple[float, float, float, float]


def annotated(picture: np.ndarray, photo: PhotoResult) -> np.ndarray:
    """Return a photograph with a box and a label a face.

    Parameters
    ----------
    picture : numpy.ndarray
        ``(H, W, 3)`` uint8, upright.
    photo : PhotoResult
        What is said of it; a photograph without a face says so at its edge.

    Returns
    -------
    numpy.ndarray
        ``(H', W', 3)`` uint8: as it is, or enlarged so that its labels can be read.
    """
    image = Image.fromarray(picture)
    factor = max(1.0, _SMALLEST_SIDE / max(image.size))
    if factor > 1:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    letters = max(_SMALLEST_LETTERS, round(_LETTERS * max(image.size)))
    font = _font(letters)
    if not photo.faces:
        _draw_tag(pen, _fitted(pen, "no face found", (0, 0), image, font), "#000000", font)
    taken: list[_Tag] = []
    # Frames first: a label is never crossed by another face's frame.
    for face in photo.faces:
        _draw_frame(pen, face, factor, max(2, letters // 7))
    for number, face in enumerate(photo.faces, start=1):
        text = face_text(face, number if len(photo.faces) > 1 else None)
        tag = _placed(pen, text, face, factor, image, font, taken)
        taken.append(tag)
        _draw_tag(pen, tag, colour_of(face.label, face.scores), font)
    return np.asarray(image)


def face_text(face: FaceResult, number: int | None) -> str:
    """Return what stands at a face: its number in the table, the label and its probability."""
    said = f"{face.label} {face.scores[face.label]:.0%}"
    return said if number is None else f"{number}: {said}"


def colour_of(label: str, scores: Mapping[str, float]) -> str:
    """Return the colour of a class, by its place in the model's order."""
    return _COLOURS[list(scores).index(label) % len(_COLOURS)]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _draw_frame(pen: ImageDraw.ImageDraw, face: FaceResult, factor: float, width: int) -> None:
    if face.box is None:
        return
    box = [factor * value for value in face.box]
    # A dark rim, so that the frame stands out from a picture of its own colour.
    pen.rectangle([box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1], None, "#000000", width + 2)
    pen.rectangle(box, None, colour_of(face.label, face.scores), width)


def _placed(
    pen: ImageDraw.ImageDraw,
    text: str,
    face: FaceResult,
    factor: float,
    image: Image.Image,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    taken: Sequence[_Tag],
) -> _Tag:
    """Put a label above its box, else below it, else inside: where no other label stands."""
    left, top, _, bottom = [factor * value for value in face.box or (0, 0, 0, 0)]
    height = _fitted(pen, text, (0, 0), image, font).place[3]
    tags = [
        _fitted(pen, text, (left, y), image, font)
        for y in (top - height, bottom, top, bottom - height)
    ]
    free = [tag for tag in tags if not any(_overlap(tag, other) for other in taken)]
    return (free or tags)[0]


def _fitted(
    pen: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[float, float],
    image: Image.Image,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> _Tag:
    """Move a label into the picture."""
    _, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    rim = max(2, round(0.25 * (bottom - top)))
    width, height = right + 2 * rim, bottom - top + 2 * rim
    x = max(0.0, min(corner[0], image.width - width))
    y = max(0.0, min(corner[1], image.height - height))
    return _Tag(text, (x, y, x + width, y + height))


def _overlap(one: _Tag, other: _Tag) -> bool:
    a, b = one.place, other.place
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_tag(
    pen: ImageDraw.ImageDraw,
    tag: _Tag,
    colour: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, top, right, bottom = tag.place
    pen.rectangle(tag.place, colour)
    ink = "#000000" if colour in _LIGHT else "#FFFFFF"
    middle = ((left + right) / 2, (top + bottom) / 2)
    pen.text(middle, tag.text, ink, font=font, anchor="mm")
