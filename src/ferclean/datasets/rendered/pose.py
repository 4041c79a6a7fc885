"""Where canonical points fall in the picture: roll, scale, shift, and slight yaw and pitch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Parts that stand out of the egg-shaped head, in half face widths.
NOSE_DEPTH, EAR_DEPTH = 0.22, -0.55


@dataclass(frozen=True)
class Pose:
    """A similarity transform to pixels after a depth-dependent shift for yaw and pitch.

    Attributes
    ----------
    size : int
        Height and width of the picture in pixels.
    unit : float
        Pixels per half face width.
    centre : tuple of float
        Pixel of the canonical origin.
    roll, yaw, pitch : float
        Angles in radians.
    """

    size: int
    unit: float
    centre: tuple[float, float]
    roll: float
    yaw: float
    pitch: float

    @classmethod
    def of(cls, parameters: Mapping[str, float], size: int) -> Pose:
        """Build the pose of a picture of `size` pixels a side."""
        centre = (
            (0.5 + parameters["shift_x"]) * size,
            (0.53 + parameters["shift_y"]) * size,
        )
        angles = (parameters[name] for name in ("roll", "yaw", "pitch"))
        return cls(size, parameters["scale"] * size, centre, *angles)

    def project(self, points: np.ndarray, extra_depth: float = 0.0) -> list[tuple[float, float]]:
        """Map canonical ``(P, 2)`` points to pixels, in the form Pillow draws."""
        turned = points + self._shift(points, extra_depth)
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        x = cos * turned[:, 0] - sin * turned[:, 1]
        y = sin * turned[:, 0] + cos * turned[:, 1]
        pixels = np.column_stack([x, y]) * self.unit + self.centre
        return list(map(tuple, pixels.tolist()))

    def grid(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return canonical x and y, each ``(size, size)`` float32, of a grid over the picture.

        The inverse of :meth:`project` for points of the head's surface; the shift is inverted by
        one fixed-point step, which at these angles leaves less than 0.03 units.
        """
        pixel = (np.arange(size, dtype=np.float32) + 0.5) * (self.size / size)
        x = (pixel[None, :] - self.centre[0]) / self.unit
        y = (pixel[:, None] - self.centre[1]) / self.unit
        cos, sin = np.float32(np.cos(self.roll)), np.float32(np.sin(self.roll))
        turned = np.stack([cos * x + sin * y, -sin * x + cos * y], axis=-1).astype(np.float32)
        flat = turned.reshape(-1, 2)
        first = flat - self._shift(flat, 0.0)
        result = (flat - self._shift(first, 0.0)).reshape(size, size, 2).astype(np.float32)
        return result[..., 0], result[..., 1]

    def _shift(self, points: np.ndarray, extra_depth: float) -> np.ndarray:
        # Depth of an egg of half width 1 and half height 1.3; its rim does not move.
        egg = 1.0 - points[:, 0] ** 2 - (points[:, 1] / 1.3) ** 2
        depth = 0.75 * np.sqrt(np.clip(egg, 0.0, 1.0)) + extra_depth
        angles = np.array([np.sin(self.yaw), np.sin(self.pitch)], dtype=points.dtype)
        shift: np.ndarray = depth[:, None] * angles
        return shift
