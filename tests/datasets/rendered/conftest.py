"""A plain face to start from: an average person at rest, seen from the front."""

from __future__ import annotations

import pytest

from ferclean.datasets.rendered.action_units import AU_COLUMNS
from ferclean.datasets.rendered.plan import IDENTITY_RANGES, PICTURE_RANGES


@pytest.fixture
def plain() -> dict[str, float]:
    middle = {name: (low + high) / 2 for name, (low, high) in IDENTITY_RANGES.items()}
    picture = {name: (low + high) / 2 for name, (low, high) in PICTURE_RANGES.items()}
    level = dict.fromkeys(("roll", "yaw", "pitch", "light_x", "shift_x", "shift_y"), 0.0)
    bare = {"beard": 1.0, "glasses": 1.0, "hair_style": 0.5}
    rest = dict.fromkeys(AU_COLUMNS, 0.0)
    return {**middle, **picture, **level, **bare, **rest, "texture_seed": 7}
