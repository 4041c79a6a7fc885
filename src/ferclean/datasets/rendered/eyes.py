"""Draw eyes, eyebrows and glasses."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ferclean.datasets.rendered.canvas import Canvas, Colour, ellipse, mix
from ferclean.datasets.rendered.colours import hair_colour, iris_colour, skin_colour
from ferclean.datasets.rendered.geometry import (
    Eye,
    Parameters,
    brow,
    eye,
    moved,
    ribbon,
    smooth_open,
)

_SCLERA: Colour = (226, 219, 213)
_DARK: Colour = (26, 18, 18)
_IRIS_RADIUS, _PUPIL_RADIUS = 0.102, 0.046
# Share of people who wear glasses.
_GLASSES = 0.14
_HAIRS_PER_BROW = 34


def draw_eyes(canvas: Canvas, parameters: Parameters, light_x: float) -> None:
    """Draw both eyes with lids, lashes and the folds around them."""
    for side in (-1, 1):
        shape = eye(parameters, side)
        _draw_eyeball(canvas, shape, parameters, light_x)
        _draw_lids(canvas, shape, parameters)


def _draw_eyeball(canvas: Canvas, shape: Eye, parameters: Parameters, light_x: float) -> None:
    skin = skin_colour(parameters)
    outline = np.concatenate([shape.upper, shape.lower[::-1]])
    layer = Image.new("RGB", canvas.picture.size, mix(_SCLERA, skin, 0.12))
    draw = ImageDraw.Draw(layer)
    iris = iris_colour(parameters)
    project = canvas.pose.project
    draw.polygon(project(ellipse(shape.iris, (_IRIS_RADIUS, _IRIS_RADIUS))), mix(iris, _DARK, 0.6))
    inner = 0.84 * _IRIS_RADIUS
    draw.polygon(project(ellipse(shape.iris, (inner, inner))), iris)
    draw.polygon(project(ellipse(shape.iris, (_PUPIL_RADIUS, _PUPIL_RADIUS))), (12, 10, 10))
    # The upper lid throws a shadow on the ball.
    shadow = canvas.mask(
        np.concatenate([shape.upper, moved(shape.upper[::-1], 0, 0.035)]), value=120
    )
    draw.bitmap((0, 0), shadow, fill=_DARK)
    glint = moved(shape.iris, 0.035 * np.sign(light_x), -0.035)
    draw.polygon(project(ellipse(glint, (0.02, 0.02), 8)), (250, 250, 250))
    corner = shape.upper[0 if shape.side > 0 else -1]
    draw.polygon(project(ellipse(corner, (0.03, 0.025), 8)), (196, 130, 120))
    canvas.paste(layer, canvas.mask(outline))


def _draw_lids(canvas: Canvas, shape: Eye, parameters: Parameters) -> None:
    skin = skin_colour(parameters)
    canvas.line(shape.lower, mix(skin, (120, 60, 50), 0.45), 0.014)
    lash = mix(_DARK, skin, 0.12)
    thickness = 0.030 * np.sqrt(np.clip(1 - np.linspace(-1, 1, 25) ** 2, 0.05, 1))
    canvas.fill(ribbon(shape.upper, thickness), lash)
    outer = shape.upper[-4:] if shape.side > 0 else shape.upper[3::-1]
    canvas.line(np.vstack([outer, moved(outer[-1], 0.03 * shape.side, -0.012)]), lash, 0.018)
    raised, cheek, tight = (parameters[f"au_{n}"] for n in (5, 6, 7))
    crease = moved(shape.upper[2:-2], 0, 0.03 * raised - 0.055)
    canvas.fold(crease, 0.75, 0.020)
    below = shape.lower[4:-2] if shape.side > 0 else shape.lower[2:-4]
    bag = 0.25 * parameters["age"] + 0.7 * cheek + 0.55 * tight
    canvas.fold(moved(below, 0, 0.055), bag, 0.026)
    canvas.fold(moved(below[2:-2], 0, 0.12), 0.35 * parameters["age"] + 0.4 * cheek, 0.03)
    _draw_crows_feet(canvas, shape, parameters)


def _draw_crows_feet(canvas: Canvas, shape: Eye, parameters: Parameters) -> None:
    strength = (0.35 + 0.5 * parameters["age"]) * parameters["au_6"] + 0.12 * parameters["age"]
    corner = moved(shape.upper[-1 if shape.side > 0 else 0], 0.06 * shape.side, 0)
    for angle in (-0.55, -0.1, 0.4):
        direction = np.array([shape.side * np.cos(angle), np.sin(angle)])
        canvas.fold(corner + np.outer([0.0, 0.12], direction), strength, 0.016)


def draw_brows(canvas: Canvas, parameters: Parameters, generator: np.random.Generator) -> None:
    """Draw both eyebrows hair by hair over a soft base."""
    skin, hair = skin_colour(parameters), hair_colour(parameters)
    colour = mix(mix(hair, _DARK, 0.35), skin, 0.08)
    for side in (-1, 1):
        line = smooth_open(brow(parameters, side), 8)
        along = np.linspace(0.0, 1.0, len(line))
        width = (
            parameters["brow_thickness"]
            * (0.55 + 1.1 * along * (1 - along) * 2)
            * (1 - 0.75 * along**3)
        )
        mask = canvas.mask(ribbon(line, width), value=180)
        _brow_hairs(mask, canvas, line, width, side, generator)
        canvas.paste(colour, mask)


def _brow_hairs(
    mask: Image.Image,
    canvas: Canvas,
    line: np.ndarray,
    width: np.ndarray,
    side: int,
    generator: np.random.Generator,
) -> None:
    draw = ImageDraw.Draw(mask)
    picks = generator.integers(0, len(line) - 2, _HAIRS_PER_BROW)
    across = generator.uniform(-0.5, 0.5, _HAIRS_PER_BROW) * width[picks]
    lean = generator.uniform(-0.045, 0.005, _HAIRS_PER_BROW)
    roots = line[picks] + np.column_stack([np.zeros_like(across), across])
    tips = roots + np.column_stack([np.full_like(lean, 0.055 * side), lean])
    ends = canvas.pose.project(np.concatenate([roots, tips]))
    for start, end in zip(ends[:_HAIRS_PER_BROW], ends[_HAIRS_PER_BROW:], strict=True):
        draw.line([start, end], fill=225, width=1)


def draw_glasses(canvas: Canvas, parameters: Parameters) -> None:
    """Draw glasses on the people who wear them."""
    if parameters["glasses"] > _GLASSES:
        return
    shade = parameters["glasses"] / _GLASSES
    frame = mix((24, 22, 24), (120, 92, 60), shade)
    for side in (-1, 1):
        centre = np.array([side * parameters["eye_spacing"] * 1.02, -0.14])
        rim = ellipse(centre, (0.30, 0.235 + 0.03 * shade), 36)
        canvas.line(np.vstack([rim, rim[:2]]), frame, 0.022 + 0.022 * shade, 0.06)
        temple = np.array([(side * 0.72, -0.18), (side * 1.0, -0.16)])
        canvas.line(temple, frame, 0.03)
    bridge = np.array([(-0.125, -0.17), (0.0, -0.205), (0.125, -0.17)])
    canvas.line(smooth_open(bridge), frame, 0.03, 0.06)
