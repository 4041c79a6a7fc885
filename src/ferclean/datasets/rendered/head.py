"""Draw what surrounds the features: neck, clothes, ears, face, hair and beard."""

from __future__ import annotations

import numpy as np
from PIL import ImageChops, ImageDraw, ImageFilter

from ferclean.datasets.rendered.canvas import Canvas, Colour, ellipse, mix
from ferclean.datasets.rendered.colours import hair_colour, hue_colour, lip_colour, skin_colour
from ferclean.datasets.rendered.geometry import (
    Parameters,
    face_outline,
    jaw_drop,
    mouth,
    smooth_closed,
    smooth_open,
)
from ferclean.datasets.rendered.pose import EAR_DEPTH

HAIR_STYLES = ("short", "parted", "long", "fringe", "curly", "receding", "tied")
# Share of people with a beard (some only stubble).
_BEARD = 0.28


def hair_style(parameters: Parameters) -> str:
    """Return the name of the person's hair style."""
    return HAIR_STYLES[min(int(parameters["hair_style"]), len(HAIR_STYLES) - 1)]


def draw_body(canvas: Canvas, parameters: Parameters) -> None:
    """Draw hair behind the head, shoulders, neck and ears."""
    if hair_style(parameters) in ("long", "fringe"):
        _draw_back_hair(canvas, parameters)
    skin = skin_colour(parameters)
    neck = np.array([(-0.60, 0.5), (0.60, 0.5), (0.62, 1.7), (0.9, 2.4), (-0.9, 2.4), (-0.62, 1.7)])
    canvas.fill(neck, mix(skin, (40, 20, 16), 0.35), material="skin")
    clothes = hue_colour(parameters["clothes_hue"], 0.35, 0.15 + 0.6 * parameters["clothes_hue"])
    half = np.array([(0.0, 1.86), (0.45, 1.72), (0.66, 1.52), (1.6, 1.85), (2.3, 2.4), (2.4, 4.0)])
    outline = np.concatenate([half, half[:0:-1] * (-1, 1)])
    canvas.fill(outline, clothes)
    for side in (-1, 1):
        ear = ellipse(np.array([side * 0.98, -0.02]), (0.13, 0.25))
        canvas.fill(ear, mix(skin, (170, 80, 60), 0.12), material="skin", extra_depth=EAR_DEPTH)


def draw_face(canvas: Canvas, parameters: Parameters) -> None:
    """Draw the bare face, its beard and the shadow under the chin."""
    outline = face_outline(parameters)
    scalp = ellipse(np.array([0.0, -0.45]), (0.97, 0.93))
    for part in (scalp, outline):
        canvas.fill(part, skin_colour(parameters), material="skin")
    cheeks = mix(skin_colour(parameters), lip_colour(parameters), 0.35)
    y = 0.30 - 0.05 * parameters["au_6"]
    left, right = (
        canvas.mask(ellipse(np.array([side * 0.52, y]), (0.26, 0.20)), value=90) for side in (-1, 1)
    )
    blush = ImageChops.lighter(left, right).filter(ImageFilter.BoxBlur(canvas.pose.size / 64))
    canvas.paste(cheeks, blush)
    if parameters["beard"] < _BEARD and hair_style(parameters) not in ("long", "fringe", "tied"):
        _draw_beard(canvas, parameters, outline)


def _draw_beard(canvas: Canvas, parameters: Parameters, face: np.ndarray) -> None:
    density = 0.25 + 0.6 * (1 - parameters["beard"] / _BEARD)
    shape = mouth(parameters)
    drop = jaw_drop(parameters)
    top = np.array(
        [(-1.02, 0.05), (-0.86, 0.42), (-0.52, 0.62), (-0.28, 0.50), (0.0, 0.46),
         (0.28, 0.50), (0.52, 0.62), (0.86, 0.42), (1.02, 0.05)]
    )  # fmt: skip
    bottom = np.array([(1.1, 1.0), (0.6, 1.45 + drop), (-0.6, 1.45 + drop), (-1.1, 1.0)])
    area = canvas.mask(np.concatenate([smooth_open(top), bottom]), value=round(255 * density))
    area = ImageChops.multiply(area, canvas.mask(face))
    lips = np.concatenate([shape.upper_outer, shape.lower_outer[::-1]])
    draw = ImageDraw.Draw(area)
    draw.polygon(canvas.pose.project((lips - lips.mean(0)) * (1.1, 1.25) + lips.mean(0)), fill=0)
    area = area.filter(ImageFilter.BoxBlur(canvas.pose.size / 80))
    canvas.paste(mix(hair_colour(parameters), (30, 24, 22), 0.3), area)


def _draw_back_hair(canvas: Canvas, parameters: Parameters) -> None:
    volume = 0.10 * parameters["hair_volume"]
    low = 1.9 if hair_style(parameters) == "long" else 1.0
    half = np.array(
        [
            (0.0, -1.45),
            (0.75, -1.28),
            (1.10 + volume, -0.6),
            (1.18 + volume, 0.2),
            (1.12 + volume, low),
        ]
    )
    outline = np.concatenate([half, half[:0:-1] * (-1, 1)])
    colour = mix(hair_colour(parameters), (0, 0, 0), 0.30)
    canvas.fill(smooth_closed(outline), colour, material="hair", extra_depth=-0.3)


def draw_hair(canvas: Canvas, parameters: Parameters, generator: np.random.Generator) -> None:
    """Draw the hair that frames the face."""
    style, colour = hair_style(parameters), hair_colour(parameters)
    volume = 0.12 * parameters["hair_volume"]
    ear = {"long": 0.75, "fringe": 0.75, "receding": -0.05, "tied": -0.3}.get(style, 0.0)
    outer = np.array(
        [(-1.06, ear), (-1.08 - volume, -0.55), (-0.80 - volume, -1.18),
         (0.0, -1.45 - volume),
         (0.80 + volume, -1.18), (1.08 + volume, -0.55), (1.06, ear)]
    )  # fmt: skip
    line = _hairline(style, ear)
    outline = np.concatenate([smooth_open(outer), smooth_open(line)])
    canvas.fill(outline, colour, material="hair")
    if style == "curly":
        _draw_curls(canvas, outer, colour, generator)


def _hairline(style: str, ear: float) -> np.ndarray:
    """Return the lower edge of the hair from the right ear to the left one."""
    temples = {
        "short": [(0.88, -0.45), (0.72, -0.86), (0.30, -0.98), (-0.30, -0.98), (-0.72, -0.86)],
        "parted": [(0.90, -0.40), (0.66, -0.74), (0.10, -0.90), (-0.46, -1.08), (-0.76, -0.80)],
        "long": [(0.90, -0.20), (0.72, -0.72), (0.08, -1.10), (-0.08, -1.10), (-0.72, -0.72)],
        "fringe": [(0.88, -0.10), (0.80, -0.62), (0.30, -0.70), (-0.30, -0.68), (-0.80, -0.62)],
        "curly": [(0.88, -0.45), (0.74, -0.84), (0.30, -0.94), (-0.30, -0.94), (-0.74, -0.84)],
        "receding": [(0.92, -0.50), (0.70, -1.02), (0.28, -1.24), (-0.28, -1.24), (-0.70, -1.02)],
        "tied": [(0.92, -0.45), (0.74, -0.88), (0.30, -1.04), (-0.30, -1.04), (-0.74, -0.88)],
    }[style]
    last = (-temples[0][0], temples[0][1])
    return np.array([(0.97, ear), *temples, last, (-0.97, ear)])


def _draw_curls(
    canvas: Canvas, outer: np.ndarray, colour: Colour, generator: np.random.Generator
) -> None:
    rim = smooth_open(outer, 5)
    for centre in rim + generator.normal(0.0, 0.03, rim.shape):
        radius = generator.uniform(0.10, 0.19)
        shade = mix(colour, (0, 0, 0), generator.uniform(0.0, 0.25))
        canvas.fill(ellipse(centre, (radius, radius), 12), shade, material="hair")
