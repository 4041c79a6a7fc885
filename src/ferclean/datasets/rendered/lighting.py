"""Light on skin and hair: Lambert's law on a face-shaped height field, folds, strands."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from ferclean.datasets.rendered.canvas import Canvas
from ferclean.datasets.rendered.geometry import Parameters, jaw_drop, mouth, nose_height
from ferclean.datasets.rendered.head import hair_style

# The relief is smooth, so it is worked out on a grid this many times coarser than the picture.
_COARSER = 2
_AMBIENT = 0.42
_STRANDS = 256


def light_direction(parameters: Parameters) -> np.ndarray:
    """Return the unit vector from the face to the light, ``(3,)``: right, down, to the viewer."""
    vector = np.array([parameters["light_x"], parameters["light_y"], 0.85])
    unit: np.ndarray = vector / np.linalg.norm(vector)
    return unit


def shade_skin(canvas: Canvas, parameters: Parameters, size: int) -> np.ndarray:
    """Return the light on the skin, ``(size, size)`` float32, about 1 where it is full."""
    coarse = size // _COARSER
    x, y = canvas.pose.grid(coarse)
    height = _relief(x, y, parameters)
    step = canvas.pose.size / coarse / canvas.pose.unit
    slope_y, slope_x = np.gradient(height, step)
    # The head itself: an egg whose normals bend away towards its rim.
    slope_x -= 0.75 * x * np.abs(x) ** 1.5
    slope_y -= 0.45 * y * np.abs(y)
    light = light_direction(parameters)
    cos, sin = np.cos(canvas.pose.roll), np.sin(canvas.pose.roll)
    light_x, light_y = cos * light[0] + sin * light[1], -sin * light[0] + cos * light[1]
    length = np.sqrt(1 + slope_x**2 + slope_y**2)
    facing = (light[2] - slope_x * light_x - slope_y * light_y) / length
    shade = _AMBIENT + parameters["light_strength"] * np.maximum(facing, 0.0)
    gloss = np.maximum(facing, 0.0) ** 24 * 0.10
    shade = (shade + gloss) * _occlusion(x, y, parameters)
    image = Image.fromarray(shade.astype(np.float32)).resize((size, size), Image.Resampling.BICUBIC)
    lit: np.ndarray = np.asarray(image) * _fold_light(canvas, light, size)
    return lit


def _relief(x: np.ndarray, y: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Height of nose, brows, cheeks, lips and chin over the head, in half face widths."""
    cheek, pull = parameters["au_6"], parameters["au_12"]
    nose, relief = nose_height(parameters), parameters["nose_relief"]
    shape = mouth(parameters)
    lip_y, low_y = shape.upper_outer[12, 1], shape.lower_outer[12, 1]
    brow_y = -0.36 - 0.08 * parameters["au_2"] + 0.06 * parameters["au_4"]
    side = np.abs(x)
    full = 0.06 + 0.07 * max(cheek, pull)
    bumps = (
        (0.0, nose - 0.28, 0.10, 0.26, 0.13 * relief, x),
        (0.0, nose - 0.03, 0.13, 0.11, 0.17 * relief, x),
        (0.15 * parameters["nose_width"], nose + 0.01, 0.07, 0.07, 0.07, side),
        (0.42, brow_y, 0.26, 0.085, 0.055, side),
        (parameters["eye_spacing"], -0.17, 0.20, 0.12, -0.065, side),
        (0.13, -0.20, 0.08, 0.13, -0.05, side),
        (0.53, 0.30 - 0.07 * cheek, 0.22, 0.19, full, side),
        (0.0, lip_y - 0.03, 0.26, 0.10, 0.045, x),
        (0.0, low_y - 0.06, 0.20, 0.06, 0.055, x),
        (0.0, low_y + 0.07, 0.24, 0.05, -0.03, x),
        (0.0, 1.06 + jaw_drop(parameters), 0.20, 0.12, 0.07, x),
        (0.06, brow_y + 0.02, 0.04, 0.06, 0.03 * parameters["au_4"], side),
        (0.78, 0.45, 0.14, 0.35, -0.05, side),
    )
    height = np.zeros_like(x)
    for centre_x, centre_y, width, tall, amount, across in bumps:
        distance = ((across - centre_x) / width) ** 2 + ((y - centre_y) / tall) ** 2
        height += np.float32(amount) * np.exp(-0.5 * distance)
    return height


def _occlusion(x: np.ndarray, y: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Share of the light that corners let in: eye sockets, under nose, lip and chin."""
    nose = nose_height(parameters)
    chin = 1.30 * parameters["face_length"] + jaw_drop(parameters)
    side = np.abs(x)
    depth = 0.16 * np.exp(-(((side - 0.40) / 0.24) ** 2) - ((y + 0.21) / 0.13) ** 2)
    depth += 0.28 * np.exp(-((x / 0.20) ** 2) - ((y - nose - 0.10) / 0.06) ** 2)
    depth += 0.38 * np.exp(-((x / 0.8) ** 2) - ((y - chin - 0.12) / 0.2) ** 2)
    shade: np.ndarray = 1.0 - depth
    return shade


def _fold_light(canvas: Canvas, light: np.ndarray, size: int) -> np.ndarray:
    """Darken the bottom of folds and light the flank that faces the light."""
    blurred = canvas.crease.filter(ImageFilter.BoxBlur(0.006 * canvas.pose.size)).resize(
        (size, size), Image.Resampling.BOX
    )
    depth = np.asarray(blurred, dtype=np.float32) / 255
    slope_y, slope_x = np.gradient(depth)
    flank = slope_x * np.float32(light[0]) + slope_y * np.float32(light[1])
    result: np.ndarray = 1.0 - 0.62 * depth + 0.9 * flank
    return result


def shade_hair(
    canvas: Canvas, parameters: Parameters, size: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the light on the hair, ``(size, size)`` float32: strands and a band of gloss."""
    x, y = canvas.pose.grid(size)
    if hair_style(parameters) == "curly":
        coarse = generator.uniform(0.55, 1.15, (size // 4, size // 4)).astype(np.float32)
        strands = np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))
    else:
        angle = np.arctan2(x, -(y + 0.75))
        fine = generator.uniform(0.7, 1.2, _STRANDS)
        wide = np.repeat(generator.uniform(0.75, 1.2, _STRANDS // 8), 8)
        strand = (0.5 * fine + 0.5 * wide).astype(np.float32)
        strands = strand[((angle / np.pi + 1) * (_STRANDS / 2 - 1)).astype(np.int32)]
    light = light_direction(parameters)
    gloss = np.exp(-(((y + 1.22 - 0.3 * x**2) / 0.16) ** 2)) * 0.35
    side = np.clip(1.0 + 0.30 * light[0] * x, 0.6, 1.4)
    shade = strands * side * (0.75 + gloss) * (0.55 + 0.6 * parameters["light_strength"])
    result: np.ndarray = shade.astype(np.float32)
    return result
