"""A supersampled drawing surface in canonical coordinates, with the masks that light needs."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ferclean.datasets.rendered.pose import Pose

Colour = tuple[int, int, int]
SUPERSAMPLING = 2


class Canvas:
    """Colours of the surfaces before light falls on them, and where skin and hair lie.

    Attributes
    ----------
    picture : PIL.Image.Image
        RGB, `SUPERSAMPLING` times the final size.
    skin, hair, crease : PIL.Image.Image
        Masks of mode ``L``: lit as skin (eyes, lips and brows included), lit as hair, and depth
        of the folds in the skin.
    """

    def __init__(self, pose: Pose, background: Image.Image) -> None:
        self.pose = pose
        self.picture = background
        self.skin, self.hair, self.crease = (Image.new("L", background.size) for _ in range(3))

    def mask(self, outline: np.ndarray, extra_depth: float = 0.0, value: int = 255) -> Image.Image:
        """Return a new mask filled with `value` inside a canonical outline."""
        mask = Image.new("L", self.picture.size)
        ImageDraw.Draw(mask).polygon(self.pose.project(outline, extra_depth), fill=value)
        return mask

    def fill(
        self,
        outline: np.ndarray,
        colour: Colour,
        *,
        material: str | None = None,
        extra_depth: float = 0.0,
    ) -> None:
        """Fill a canonical outline; `material` (``skin`` or ``hair``) claims it for that mask."""
        points = self.pose.project(outline, extra_depth)
        ImageDraw.Draw(self.picture).polygon(points, fill=colour)
        if material is not None:
            other = self.hair if material == "skin" else self.skin
            ImageDraw.Draw(getattr(self, material)).polygon(points, fill=255)
            ImageDraw.Draw(other).polygon(points, fill=0)

    def line(
        self,
        points: np.ndarray,
        colour: Colour,
        width: float,
        extra_depth: float = 0.0,
    ) -> None:
        """Draw an open line; `width` is in canonical units."""
        ImageDraw.Draw(self.picture).line(
            self.pose.project(points, extra_depth),
            fill=colour,
            width=max(1, round(width * self.pose.unit)),
            joint="curve",
        )

    def fold(
        self, points: np.ndarray, strength: float, width: float, extra_depth: float = 0.0
    ) -> None:
        """Press a fold into the skin; `strength` is 0 to 1."""
        if strength > 0.02:
            ImageDraw.Draw(self.crease).line(
                self.pose.project(points, extra_depth),
                fill=round(255 * min(strength, 1.0)),
                width=max(1, round(width * self.pose.unit)),
                joint="curve",
            )

    def paste(self, layer: Image.Image | Colour, mask: Image.Image) -> None:
        """Blend a layer or a colour over the picture through a mask."""
        box = mask.getbbox()  # most masks are small; pasting the rest would cost the most time
        if box is not None:
            part = layer.crop(box) if isinstance(layer, Image.Image) else layer
            self.picture.paste(part, box, mask.crop(box))


def ellipse(centre: np.ndarray, radii: tuple[float, float], points: int = 28) -> np.ndarray:
    """Return the outline ``(points, 2)`` of an axis-parallel ellipse."""
    angle = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    return np.asarray(centre) + np.column_stack(
        [radii[0] * np.cos(angle), radii[1] * np.sin(angle)]
    )


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour that lies `share` of the way from `first` to `second`."""
    red, green, blue = (
        round(min(255.0, max(0.0, a + (b - a) * share))) for a, b in zip(first, second, strict=True)
    )
    return red, green, blue
