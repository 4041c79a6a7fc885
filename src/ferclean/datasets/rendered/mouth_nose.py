"""Draw mouth and nose, and the folds that the lower face and the forehead show."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ferclean.datasets.rendered.canvas import Canvas, Colour, ellipse, mix
from ferclean.datasets.rendered.colours import lip_colour, skin_colour
from ferclean.datasets.rendered.geometry import (
    Mouth,
    Parameters,
    brow,
    mouth,
    moved,
    nose_height,
    smooth_open,
)
from ferclean.datasets.rendered.pose import NOSE_DEPTH

_TEETH: Colour = (228, 220, 206)
_THROAT: Colour = (44, 16, 18)
_TONGUE: Colour = (150, 74, 76)
_MOUTH_DEPTH = 0.08


def draw_mouth(canvas: Canvas, parameters: Parameters) -> None:
    """Draw the lips and, where they part, teeth and tongue."""
    shape = mouth(parameters)
    lip = lip_colour(parameters)
    upper = np.concatenate([shape.upper_outer, shape.upper_inner[::-1]])
    lower = np.concatenate([shape.lower_inner, shape.lower_outer[::-1]])
    canvas.fill(upper, mix(lip, (70, 24, 28), 0.22), extra_depth=_MOUTH_DEPTH)
    canvas.fill(lower, lip, extra_depth=_MOUTH_DEPTH)
    shine = shape.lower_inner[7:-7] * 0.45 + shape.lower_outer[7:-7] * 0.55
    canvas.line(shine, mix(lip, (255, 235, 230), 0.22), 0.022, _MOUTH_DEPTH)
    if shape.opening > 0.035:
        _draw_inside(canvas, shape, parameters)
    line = mix(lip, (36, 12, 14), 0.75)
    canvas.line(shape.upper_inner, line, 0.020, _MOUTH_DEPTH)
    corners = shape.upper_inner[[0, -1]]
    for corner in corners:
        canvas.fill(ellipse(corner, (0.022, 0.018), 8), line, extra_depth=_MOUTH_DEPTH)
    canvas.fold(moved(shape.lower_outer[6:-6], 0, 0.045), 0.55, 0.05, _MOUTH_DEPTH)


def _draw_inside(canvas: Canvas, shape: Mouth, parameters: Parameters) -> None:
    layer = Image.new("RGB", canvas.picture.size, _THROAT)
    draw = ImageDraw.Draw(layer)

    def polygon(outline: np.ndarray, colour: Colour) -> None:
        draw.polygon(canvas.pose.project(outline, _MOUTH_DEPTH - 0.04), fill=colour)

    bottom = shape.lower_inner[12]
    half = parameters["mouth_width"]
    polygon(ellipse(moved(bottom, 0, -0.01), (0.55 * half, 0.35 * shape.opening)), _TONGUE)
    shown = 0.05 + 0.05 * parameters["au_12"] + 0.02 * parameters["au_20"]
    polygon(
        np.concatenate(
            [moved(shape.upper_inner, 0, -0.02), moved(shape.upper_inner[::-1], 0, shown)]
        ),
        mix(_TEETH, _THROAT, 0.08),
    )
    lower_teeth = 0.05 * parameters["au_16"] + 0.035 * parameters["au_20"]
    if lower_teeth > 0.01:
        low = shape.lower_inner[4:-4]
        polygon(
            np.concatenate([moved(low, 0, 0.02), moved(low[::-1], 0, -lower_teeth)]),
            mix(_TEETH, _THROAT, 0.25),
        )
    inside = np.concatenate([shape.upper_inner, shape.lower_inner[::-1]])
    canvas.paste(layer, canvas.mask(inside, _MOUTH_DEPTH))


def draw_nose(canvas: Canvas, parameters: Parameters) -> None:
    """Draw nostrils and wings; the bridge is left to the light."""
    y, width = nose_height(parameters), parameters["nose_width"]
    skin = skin_colour(parameters)
    dark = mix(skin, (40, 18, 16), 0.72)
    wrinkle = parameters["au_9"]
    for side in (-1, 1):
        nostril = ellipse(np.array([side * 0.092 * width, y + 0.045]), (0.055 * width, 0.026), 14)
        canvas.fill(nostril, dark, extra_depth=NOSE_DEPTH)
        wing = np.array([(0.155, -0.075), (0.215, -0.01), (0.19, 0.055), (0.14, 0.062)])
        wing = wing * (side * (width + 0.12 * wrinkle), 1.0) + (0, y)
        canvas.fold(smooth_open(wing), 0.7 + 0.2 * wrinkle, 0.028, 0.5 * NOSE_DEPTH)
        for step in range(3):
            start = np.array([side * 0.03, -0.12 + 0.07 * step])
            stroke = start + np.array([(0.0, 0.0), (side * 0.09, -0.03), (side * 0.16, 0.01)])
            canvas.fold(smooth_open(stroke), 0.85 * wrinkle, 0.026, 0.5 * NOSE_DEPTH)


def draw_folds(canvas: Canvas, parameters: Parameters) -> None:
    """Draw the folds of forehead, brow, cheeks and chin that action units press in."""
    _forehead(canvas, parameters)
    _frown(canvas, parameters)
    shape = mouth(parameters)
    age = parameters["age"]
    pull, wrinkle, stretch = (parameters[f"au_{n}"] for n in (12, 9, 20))
    y = nose_height(parameters)
    for side in (-1, 1):
        corner = shape.upper_inner[-1 if side > 0 else 0]
        bow = 0.03 + 0.10 * pull
        path = np.array(
            [
                (side * 0.23 * parameters["nose_width"], y - 0.06),
                (side * (0.33 + bow), 0.5 * (y + corner[1]) - 0.05),
                (corner[0] + side * (0.08 + 0.04 * pull), corner[1] - 0.02),
            ]
        )
        strength = 0.15 + 0.35 * age + 0.65 * pull + 0.55 * wrinkle + 0.2 * stretch
        canvas.fold(smooth_open(path), strength, 0.036, 0.5 * _MOUTH_DEPTH)
        down = corner + np.array([(0.02 * side, 0.02), (0.06 * side, 0.10), (0.07 * side, 0.19)])
        canvas.fold(smooth_open(down), 0.75 * parameters["au_15"] + 0.1 * age, 0.03)


def _forehead(canvas: Canvas, parameters: Parameters) -> None:
    inner, outer = parameters["au_1"], parameters["au_2"]
    age = parameters["age"]
    for row, y in enumerate((-0.93, -0.85, -0.77)):
        half = 0.25 + 0.30 * outer
        x = np.linspace(-half, half, 9)
        # Lines follow the brows: level when all of them rise, peaked when only the inner ends do.
        slope = 0.10 * (inner - outer) * np.abs(x) / half
        wave = np.column_stack([x, y + slope - 0.05 * np.cos(2.6 * x) * (1 - row / 4)])
        strength = (0.25 + 0.45 * age) * max(inner, outer) + 0.18 * max(0.0, age - 0.4)
        canvas.fold(wave, strength, 0.024)


def _frown(canvas: Canvas, parameters: Parameters) -> None:
    strength = parameters["au_4"] * (0.55 + 0.3 * parameters["age"])
    for side in (-1, 1):
        end = brow(parameters, side)[0]
        path = np.array([(0.45 * end[0], end[1] - 0.10), (0.38 * end[0], end[1] + 0.07)])
        canvas.fold(path, strength, 0.032, 0.3 * NOSE_DEPTH)
