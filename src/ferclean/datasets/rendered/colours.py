"""Colours of skin, hair, eyes, clothes and backgrounds, as sRGB bytes."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence

from ferclean.datasets.rendered.canvas import Colour, mix

# From very light to very dark skin, spaced like the ten steps of the Monk skin tone scale
# (Monk, 2019), without its two lightest, which no light leaves on a photograph.
_SKIN: tuple[Colour, ...] = (
    (243, 214, 192),
    (234, 198, 170),
    (222, 178, 146),
    (201, 152, 118),
    (172, 122, 90),
    (140, 96, 68),
    (108, 72, 52),
    (80, 54, 42),
)
_HAIR: tuple[Colour, ...] = (
    (24, 20, 20),
    (42, 30, 24),
    (66, 44, 30),
    (96, 64, 38),
    (128, 84, 46),
    (172, 130, 78),
    (206, 172, 118),
)
_GREY_HAIR: Colour = (176, 172, 168)
_EYES: tuple[Colour, ...] = ((52, 32, 22), (84, 54, 30), (96, 92, 54), (84, 112, 132))


def _between(colours: Sequence[Colour], position: float) -> Colour:
    place = position * (len(colours) - 1)
    lower = min(int(place), len(colours) - 2)
    return mix(colours[lower], colours[lower + 1], place - lower)


def skin_colour(parameters: Mapping[str, float]) -> Colour:
    """Return the colour of the person's skin in white light."""
    red, green, blue = _between(_SKIN, parameters["skin_tone"])
    warmth = round(6 * parameters["skin_warmth"])  # every tone is that far from 0 and 255
    return red + warmth, green, blue - warmth


def hair_colour(parameters: Mapping[str, float]) -> Colour:
    """Return the hair's colour: darker skin has dark hair, old age greys it."""
    tone = parameters["hair_tone"] ** 1.6 * (1 - 0.85 * parameters["skin_tone"])
    grey = max(0.0, parameters["age"] - 0.78) / 0.22
    return mix(_between(_HAIR, tone), _GREY_HAIR, 0.9 * grey)


def iris_colour(parameters: Mapping[str, float]) -> Colour:
    """Return the colour of the irises."""
    return _between(_EYES, parameters["eye_tone"] * (1 - 0.9 * parameters["skin_tone"]))


def lip_colour(parameters: Mapping[str, float]) -> Colour:
    """Return the colour of the lower lip; the upper one is darker."""
    skin = skin_colour(parameters)
    red, green, blue = skin
    redder: Colour = (round(red * 0.86), round(green * 0.56), round(blue * 0.60))
    return mix(skin, redder, 0.45 + 0.55 * parameters["lip_redness"])


def hue_colour(hue: float, saturation: float, value: float) -> Colour:
    """Return the sRGB bytes of a hue, each argument in [0, 1]."""
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)
