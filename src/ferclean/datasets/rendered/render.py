"""One picture from its parameters: draw, light, photograph."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ferclean.datasets.rendered.canvas import SUPERSAMPLING, Canvas
from ferclean.datasets.rendered.colours import hue_colour
from ferclean.datasets.rendered.eyes import draw_brows, draw_eyes, draw_glasses
from ferclean.datasets.rendered.geometry import Parameters
from ferclean.datasets.rendered.head import draw_body, draw_face, draw_hair
from ferclean.datasets.rendered.lighting import shade_hair, shade_skin
from ferclean.datasets.rendered.mouth_nose import draw_folds, draw_mouth, draw_nose
from ferclean.datasets.rendered.pose import Pose

_JPEG_QUALITY = 92
_BACKDROP_SHAPES = 7
# Strength of the camera's tone curve, which lifts shadows and spares highlights.
_TONE = 0.5


def render_face(parameters: Mapping[str, Any], size: int) -> np.ndarray:
    """Draw one face.

    Parameters
    ----------
    parameters : mapping
        One row of :func:`~ferclean.datasets.rendered.plan.plan_faces`; only the action units,
        the latent numbers and ``texture_seed`` are read.
    size : int
        Height and width in pixels, at least 16.

    Returns
    -------
    ndarray
        ``(size, size, 3)`` uint8 RGB; the same parameters give the same bytes.
    """
    if size < 16:
        raise ValueError(f"size must be at least 16, found {size}")
    generator = np.random.default_rng(int(parameters["texture_seed"]))
    pose = Pose.of(parameters, size * SUPERSAMPLING)
    canvas = Canvas(pose, _backdrop(parameters, size, generator))
    draw_body(canvas, parameters)
    draw_face(canvas, parameters)
    draw_nose(canvas, parameters)
    draw_mouth(canvas, parameters)
    draw_eyes(canvas, parameters, parameters["light_x"])
    draw_brows(canvas, parameters, generator)
    draw_folds(canvas, parameters)
    draw_glasses(canvas, parameters)
    draw_hair(canvas, parameters, generator)
    return _photograph(_lit(canvas, parameters, size, generator), parameters, generator)


def encode_jpeg(picture: np.ndarray) -> bytes:
    """Compress an ``(H, W, 3)`` uint8 picture to JPEG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def _backdrop(parameters: Parameters, size: int, generator: np.random.Generator) -> Image.Image:
    """Out-of-focus surroundings: a few large shapes, blurred beyond recognition."""
    hue, tone = parameters["background_hue"], 0.12 + 0.75 * parameters["background_tone"]
    small = Image.new("RGB", (40, 40), hue_colour(hue, 0.15, tone))
    draw = ImageDraw.Draw(small)
    for _ in range(_BACKDROP_SHAPES):
        x, y, width, height = generator.uniform((-8, -8, 5, 5), (36, 36, 26, 30))
        colour = hue_colour(
            (hue + generator.normal(0, 0.08)) % 1,
            generator.uniform(0.03, 0.3),
            float(np.clip(tone + generator.normal(0, 0.14), 0.03, 0.97)),
        )
        draw.rectangle((x, y, x + width, y + height), fill=colour)
    small = small.filter(ImageFilter.GaussianBlur(0.8 + 2.2 * parameters["blur"]))
    full = size * SUPERSAMPLING
    return small.resize((full, full), Image.Resampling.BICUBIC)


def _lit(
    canvas: Canvas, parameters: Parameters, size: int, generator: np.random.Generator
) -> np.ndarray:
    """Reduce the canvas to the picture's size and let the light fall on it, float32 0..255."""
    picture = np.asarray(canvas.picture.reduce(SUPERSAMPLING), dtype=np.float32)
    skin, hair = (
        np.asarray(mask.reduce(SUPERSAMPLING), dtype=np.float32) / 255
        for mask in (canvas.skin, canvas.hair)
    )
    on_skin = shade_skin(canvas, parameters, size)
    freckled = parameters["freckles"] > 0.85
    mottle = generator.standard_normal((size, size), dtype=np.float32)
    on_skin = on_skin * (1 + (0.035 if freckled else 0.015) * mottle)
    on_hair = shade_hair(canvas, parameters, size, generator)
    elsewhere = 1.0 - skin - hair
    light = skin * on_skin + hair * on_hair + np.maximum(elsewhere, 0.0)
    # Light that has travelled through skin is redder: shadows lose blue first.
    shadow = skin * (1.0 - np.minimum(on_skin, 1.0))
    tint = np.stack([light + 0.06 * shadow, light, light - 0.05 * shadow], axis=-1)
    lit: np.ndarray = picture * tint
    return lit


def _photograph(
    scene: np.ndarray, parameters: Parameters, generator: np.random.Generator
) -> np.ndarray:
    """Add a gradient of light, white balance, lens blur and sensor noise; return uint8."""
    size = len(scene)
    ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    gradient = 1 + 0.22 * parameters["light_x"] * ramp[None, :] + 0.10 * ramp[::-1, None]
    warmth = 0.06 * parameters["light_warmth"]
    balance = np.array([1 + warmth, 1.0, 1 - warmth], dtype=np.float32)
    exposed = scene * (parameters["exposure"] * gradient)[..., None].astype(np.float32) * balance
    exposed *= (1 + _TONE) / (1 + _TONE / 255 * exposed)
    image = Image.fromarray(np.clip(exposed, 0, 255).astype(np.uint8))
    radius = (0.25 + 0.85 * parameters["blur"]) * size / 160
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)
    noise = generator.standard_normal(blurred.shape, dtype=np.float32)
    noisy = blurred + np.float32(parameters["noise"]) * noise
    return np.clip(noisy, 0, 255).astype(np.uint8)
