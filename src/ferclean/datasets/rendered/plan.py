"""What every rendered picture shows: split, identity, expression and all latent numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ferclean.config.data import RenderedSettings
from ferclean.datasets.rendered.action_units import (
    AU_COLUMNS,
    check_expressions,
    draw_intensities,
    expressive,
)
from ferclean.errors import FercleanError

_PICTURES_PER_IDENTITY = 8
_SPLIT_SHARES = {"val": 0.12, "test": 0.20}  # the rest trains
# The dominant expression of a compound weighs this much.
_COMPOUND_WEIGHTS = (0.55, 0.85)
# First word of the seed of each kind of draw, so that no two share a stream.
_PLAN, _IDENTITY, _PICTURE = range(3)

# Uniform ranges. Lengths are in half face widths, angles in radians, the rest are shares.
IDENTITY_RANGES: dict[str, tuple[float, float]] = {
    "face_length": (0.94, 1.08),
    "jaw_width": (0.66, 0.84),
    "chin_width": (0.28, 0.42),
    "skin_tone": (0.0, 1.0),
    "skin_warmth": (-1.0, 1.0),
    "hair_tone": (0.0, 1.0),
    "hair_style": (0.0, 7.0),
    "hair_volume": (0.0, 1.0),
    "eye_spacing": (0.39, 0.45),
    "eye_width": (0.19, 0.23),
    "eye_height": (0.95, 1.2),
    "eye_tilt": (-0.02, 0.045),
    "eye_tone": (0.0, 1.0),
    "brow_height": (-0.035, 0.035),
    "brow_arch": (0.01, 0.07),
    "brow_thickness": (0.055, 0.09),
    "brow_slope": (-0.02, 0.02),
    "nose_width": (0.85, 1.2),
    "nose_length": (-0.04, 0.05),
    "nose_relief": (0.7, 1.3),
    "mouth_width": (0.33, 0.40),
    "mouth_height": (-0.03, 0.03),
    "mouth_curve": (-0.025, 0.008),
    "lip_thickness": (0.75, 1.25),
    "lip_redness": (0.2, 1.0),
    "age": (0.0, 1.0),
    "beard": (0.0, 1.0),
    "glasses": (0.0, 1.0),
    "freckles": (0.0, 1.0),
}
PICTURE_RANGES: dict[str, tuple[float, float]] = {
    "roll": (-0.18, 0.18),
    "yaw": (-0.28, 0.28),
    "pitch": (-0.10, 0.10),
    "shift_x": (-0.06, 0.06),
    "shift_y": (-0.04, 0.05),
    "scale": (0.255, 0.315),
    "gaze_x": (-0.03, 0.03),
    "gaze_y": (-0.012, 0.012),
    "light_x": (-0.8, 0.8),
    "light_y": (-0.75, 0.15),
    "light_strength": (0.52, 0.85),
    "light_warmth": (-1.0, 1.0),
    "exposure": (0.72, 0.96),
    "background_tone": (0.0, 1.0),
    "background_hue": (0.0, 1.0),
    "clothes_hue": (0.0, 1.0),
    "blur": (0.0, 1.0),
    "noise": (1.0, 6.0),
}


def plan_faces(settings: RenderedSettings, classes: Sequence[str]) -> pd.DataFrame:
    """Decide everything about every picture, without drawing one.

    Parameters
    ----------
    settings : RenderedSettings
        Number of pictures, share of compound expressions, seed.
    classes : sequence of str
        Class names in order, each one of ``EXPRESSIONS``.

    Returns
    -------
    pandas.DataFrame
        One row a picture, sorted by ``sample_id``: ``sample_id``, ``path``, ``split``,
        ``identity`` (never in two splits), ``true`` (dominant class), ``p_<class>`` (true label
        distribution), ``au_<number>``, the latent numbers of identity and picture, and
        ``texture_seed``. Row i is drawn from its own seed (`settings.seed`, i).

    Raises
    ------
    FercleanError
        If a class has no action units, or compounds are asked for with fewer than two
        expressive classes.
    """
    check_expressions(classes)
    mixable = expressive(classes)
    if settings.compound_fraction > 0 and len(mixable) < 2:
        raise FercleanError(
            "data.rendered.compound_fraction must be 0 when data.classes holds fewer than two "
            "expressions besides neutral"
        )
    identity = _identities(settings)
    split = _identity_splits(settings)[identity]
    dominant, is_compound = _expressions(settings, classes, split)
    width = len(str(settings.pictures - 1))
    rows = []
    for index in range(settings.pictures):
        picture = _picture_latents(
            settings.seed, index, classes, dominant[index], bool(is_compound[index])
        )
        rows.append(
            {
                "sample_id": f"face-{index:0{max(width, 5)}d}",
                "split": split[index],
                "identity": int(identity[index]),
                **picture,
                **identity_latents(settings.seed, int(identity[index])),
            }
        )
    frame = pd.DataFrame(rows)
    frame.insert(1, "path", "rendered/" + frame["sample_id"] + ".jpg")
    return frame


def identity_latents(seed: int, identity: int) -> dict[str, float]:
    """Return the latent numbers of one person: equal in all pictures of that person."""
    generator = np.random.default_rng(np.random.SeedSequence((seed, _IDENTITY, identity)))
    return _uniform(IDENTITY_RANGES, generator)


def _identities(settings: RenderedSettings) -> np.ndarray:
    return np.arange(settings.pictures) % _identity_count(settings)


def _identity_count(settings: RenderedSettings) -> int:
    return max(3, -(-settings.pictures // _PICTURES_PER_IDENTITY))


def _identity_splits(settings: RenderedSettings) -> np.ndarray:
    count = _identity_count(settings)
    held_out = [max(1, round(share * count)) for share in _SPLIT_SHARES.values()]
    names = np.repeat([*_SPLIT_SHARES, "train"], [*held_out, count - sum(held_out)])
    generator = np.random.default_rng(np.random.SeedSequence((settings.seed, _PLAN)))
    return generator.permutation(names)


def _expressions(
    settings: RenderedSettings, classes: Sequence[str], split: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the dominant class of each picture, balanced inside each split, and its purity."""
    generator = np.random.default_rng(np.random.SeedSequence((settings.seed, _PLAN, 1)))
    dominant = np.empty(len(split), dtype=object)
    is_compound = np.zeros(len(split), dtype=bool)
    compounds = generator.permutation(len(split))[: round(settings.compound_fraction * len(split))]
    is_compound[compounds] = True
    for name in ("train", "val", "test"):
        for flag, choices in ((False, list(classes)), (True, expressive(classes))):
            rows = np.flatnonzero((split == name) & (is_compound == flag))
            if len(rows):
                order = generator.permutation(choices)
                dominant[generator.permutation(rows)] = np.resize(order, len(rows))
    return dominant, is_compound


def _picture_latents(
    seed: int, index: int, classes: Sequence[str], dominant: str, is_compound: bool
) -> dict[str, float | str]:
    generator = np.random.default_rng(np.random.SeedSequence((seed, _PICTURE, index)))
    weights = {dominant: 1.0}
    if is_compound:
        others = [name for name in expressive(classes) if name != dominant]
        weight = generator.uniform(*_COMPOUND_WEIGHTS)
        weights = {dominant: weight, str(generator.choice(others)): 1.0 - weight}
    intensities = draw_intensities(weights, generator)
    return {
        "true": dominant,
        **{f"p_{name}": weights.get(name, 0.0) for name in classes},
        **dict(zip(AU_COLUMNS, intensities.tolist(), strict=True)),
        **_uniform(PICTURE_RANGES, generator),
        "texture_seed": int(generator.integers(2**31)),
    }


def _uniform(
    ranges: Mapping[str, tuple[float, float]], generator: np.random.Generator
) -> dict[str, float]:
    return {name: float(generator.uniform(*limits)) for name, limits in ranges.items()}
