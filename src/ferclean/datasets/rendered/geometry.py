"""From latent numbers to curves: where identity and action units put every part of a face.

Coordinates are canonical: the unit is half the width of the face, the origin lies between the
eyes and the nose tip, x points to the picture's right and y down. How far each action unit moves
a part follows the descriptions of the Facial Action Coding System; the amounts are drawn by eye.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Parameters = Mapping[str, float]
_EYE_Y, _BROW_Y, _NOSE_Y, _MOUTH_Y = -0.17, -0.43, 0.36, 0.70
_ARC = np.linspace(-1.0, 1.0, 25)  # from one corner of an eye or mouth to the other


@dataclass(frozen=True)
class Mouth:
    """The four curves of the lips, each ``(25, 2)`` from left to right corner.

    `opening` is the height of the gap between the lips in the middle.
    """

    upper_outer: np.ndarray
    upper_inner: np.ndarray
    lower_inner: np.ndarray
    lower_outer: np.ndarray
    opening: float


@dataclass(frozen=True)
class Eye:
    """Lid curves ``(25, 2)``, centre of the iris ``(2,)`` and side (-1 left, 1 right)."""

    upper: np.ndarray
    lower: np.ndarray
    iris: np.ndarray
    side: int


def jaw_drop(parameters: Parameters) -> float:
    """Return how far the chin has sunk."""
    return 0.24 * parameters["au_26"] + 0.02 * parameters["au_25"]


def lengthen(y: np.ndarray | float, parameters: Parameters) -> np.ndarray:
    """Apply face length and jaw drop to heights: only what lies below the nose sinks."""
    low = np.clip((np.asarray(y) - 0.35) / 0.65, 0.0, 1.0)
    sunk: np.ndarray = np.asarray(y) * parameters["face_length"] + jaw_drop(parameters) * low
    return sunk


def face_outline(parameters: Parameters) -> np.ndarray:
    """Return the closed contour of the face, ``(P, 2)``."""
    jaw, chin = parameters["jaw_width"], parameters["chin_width"]
    right = np.array(
        [
            (0.0, -1.22),
            (0.50, -1.14),
            (0.84, -0.82),
            (0.97, -0.38),
            (0.98, 0.05),
            (0.93, 0.42),
            (jaw, 0.80),
            (chin, 1.13),
            (0.0, 1.22),
        ]
    )
    left = right[-2:0:-1] * (-1.0, 1.0)
    points = smooth_closed(np.concatenate([right, left]))
    return np.column_stack([points[:, 0], lengthen(points[:, 1], parameters)])


def brow(parameters: Parameters, side: int) -> np.ndarray:
    """Return the middle line of one eyebrow, ``(3, 2)``: inner end, arch, outer end."""
    inner_up, outer_up, lower = (parameters[f"au_{n}"] for n in (1, 2, 4))
    base = _BROW_Y + parameters["brow_height"]
    # The frontalis wins over the corrugator at the inner end: 1 + 4 slants the brow.
    inner_y = base - 0.20 * inner_up + 0.17 * lower * (1 - 0.75 * inner_up)
    inner_y += 0.05 * parameters["au_9"] + parameters["brow_slope"]
    arch_y = base - 0.07 * inner_up - 0.13 * outer_up + 0.09 * lower * (1 - 0.6 * outer_up)
    outer_y = base - 0.15 * outer_up + 0.03 * lower * (1 - outer_up) - parameters["brow_slope"]
    points = np.array(
        [
            (0.20 - 0.05 * lower, inner_y),
            (0.47, arch_y - parameters["brow_arch"] + 0.03 * parameters["au_9"]),
            (0.74, outer_y + 0.03 + 0.02 * parameters["au_6"]),
        ]
    )
    return points * (side, 1.0)


def eye(parameters: Parameters, side: int) -> Eye:
    """Return the lids and iris of one eye."""
    raised, cheek, tight, nose = (parameters[f"au_{n}"] for n in (5, 6, 7, 9))
    height = parameters["eye_height"]
    upper = height * (0.090 + 0.085 * raised - 0.022 * tight * (1 - 0.6 * raised))
    upper -= 0.022 * cheek + 0.022 * nose
    lower = height * 0.064 + 0.012 * raised - 0.032 * cheek - 0.030 * tight - 0.022 * nose
    half, tilt = parameters["eye_width"], parameters["eye_tilt"]
    lens = 1.0 - np.abs(_ARC) ** 2.2
    x = side * parameters["eye_spacing"] + half * _ARC
    middle = _EYE_Y - tilt * side * _ARC
    centre = np.array([side * parameters["eye_spacing"], _EYE_Y - 0.012])
    return Eye(
        upper=np.column_stack([x, middle - max(upper, 0.02) * lens]),
        lower=np.column_stack([x, middle + max(lower, 0.008) * lens]),
        iris=moved(centre, parameters["gaze_x"], parameters["gaze_y"]),
        side=side,
    )


def mouth(parameters: Parameters) -> Mouth:
    """Return the curves of the lips."""
    wrinkle, pull, depress, lower_down = (parameters[f"au_{n}"] for n in (9, 12, 15, 16))
    stretch, tight, part, drop = (parameters[f"au_{n}"] for n in (20, 23, 25, 26))
    half = parameters["mouth_width"] * (
        1 + 0.24 * pull + 0.26 * stretch - 0.26 * drop * (1 - stretch) - 0.16 * tight
    )
    corner = parameters["mouth_curve"] - 0.20 * pull + 0.18 * depress + 0.03 * stretch
    opening_up = 0.022 * part + 0.035 * drop + 0.012 * wrinkle
    opening_down = 0.10 * part * (1 - drop) + 0.27 * drop * (1 - 0.40 * stretch)
    opening_down += 0.07 * lower_down
    thin = (1 - 0.70 * tight) * (1 - 0.25 * stretch) * (1 - 0.25 * pull * part)
    upper_thick = 0.075 * parameters["lip_thickness"] * thin * (1 - 0.25 * wrinkle)
    lower_thick = 0.105 * parameters["lip_thickness"] * thin * (1 + 0.15 * lower_down)
    # A pulled corner lifts the whole line a little, a wrinkled nose only the upper lip.
    height = _MOUTH_Y * parameters["face_length"] + parameters["mouth_height"] + 0.05 * pull
    upper_rise = 0.07 * wrinkle
    lens = 1.0 - _ARC**2
    line = height + (corner + 0.05 * drop) * np.abs(_ARC) ** 1.8
    cupid = 1.0 - 0.22 * np.exp(-((_ARC / 0.16) ** 2))
    x = half * _ARC
    inner_top = line - (opening_up + upper_rise) * lens**0.7
    inner_bottom = line + (opening_down - 0.3 * upper_rise) * lens**0.7
    inner_bottom = np.maximum(inner_bottom, inner_top)
    return Mouth(
        upper_outer=np.column_stack([x, inner_top - upper_thick * lens**0.8 * cupid]),
        upper_inner=np.column_stack([x, inner_top]),
        lower_inner=np.column_stack([x, inner_bottom]),
        lower_outer=np.column_stack([x, inner_bottom + lower_thick * lens**0.7]),
        opening=float(np.max(inner_bottom - inner_top)),
    )


def nose_height(parameters: Parameters) -> float:
    """Return the y of the nostrils: AU 9 pulls them up."""
    return _NOSE_Y + parameters["nose_length"] - 0.045 * parameters["au_9"]


def smooth_closed(points: np.ndarray, steps: int = 8) -> np.ndarray:
    """Return a closed Catmull-Rom curve through `points`, ``(P * steps, 2)``."""
    before, after, second = (np.roll(points, shift, axis=0) for shift in (1, -1, -2))
    return _catmull_rom(before, points, after, second, steps)


def smooth_open(points: np.ndarray, steps: int = 8) -> np.ndarray:
    """Return an open Catmull-Rom curve through `points`, ``((P - 1) * steps, 2)``."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    return _catmull_rom(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], steps)


def _catmull_rom(
    before: np.ndarray, start: np.ndarray, end: np.ndarray, after: np.ndarray, steps: int
) -> np.ndarray:
    # The uniform Catmull-Rom spline (Catmull and Rom, 1974), tension 1/2.
    t = np.linspace(0.0, 1.0, steps)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (before, start, end, after))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    flat: np.ndarray = curve.reshape(-1, 2)
    return flat


def moved(points: np.ndarray, right: float, down: float) -> np.ndarray:
    """Return points ``(..., 2)`` shifted to the right and down."""
    shifted: np.ndarray = points + np.array([right, down])
    return shifted


def ribbon(line: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return the closed outline ``(2 P, 2)`` of a line with the given full widths ``(P,)``."""
    tangent = np.gradient(line, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    offset = normal * widths[:, None] / 2
    return np.concatenate([line + offset, (line - offset)[::-1]])
