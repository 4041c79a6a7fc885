"""Facial action units (AUs) and the sets of them that make the seven expressions.

The sets are EMFACS's (Friesen and Ekman, 1983) as design.md lists them; the numbers are those
of the Facial Action Coding System.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ferclean.errors import FercleanError

ACTION_UNITS: dict[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    12: "lip corner puller",
    15: "lip corner depressor",
    16: "lower lip depressor",
    20: "lip stretcher",
    23: "lip tightener",
    25: "lips part",
    26: "jaw drop",
}
EXPRESSIONS: dict[str, tuple[int, ...]] = {
    "surprised": (1, 2, 5, 26),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "disgusted": (9, 15, 16),
    "happy": (6, 12),
    "sad": (1, 4, 15),
    "angry": (4, 5, 7, 23),
    "neutral": (),
}
AU_COLUMNS = tuple(f"au_{number}" for number in ACTION_UNITS)
_POSITIONS = {number: position for position, number in enumerate(ACTION_UNITS)}

# How strong an expression is over all its units, how far one unit strays from that, and how far
# units outside the set move by chance (faces at rest are never quite still).
_STRENGTH = (0.65, 1.0)
_UNIT_SPREAD = 0.15
_REST_SPREAD = 0.04
# A mixture w A + (1 - w) B is weaker than either; people who show two show them fully.
_COMPOUND_GAIN = 1.4
# Teeth show in many smiles although AU 25 is not part of the set.
_OPEN_SMILE = 0.55


def check_expressions(classes: Sequence[str]) -> None:
    """Raise a FercleanError when a class has no set of action units."""
    unknown = [name for name in classes if name not in EXPRESSIONS]
    if unknown:
        raise FercleanError(
            f"data.classes: rendered faces know no expression {unknown[0]!r}, "
            f"choose from {', '.join(EXPRESSIONS)}"
        )


def expressive(classes: Sequence[str]) -> list[str]:
    """Return the classes that have at least one action unit: those a compound can mix."""
    return [name for name in classes if EXPRESSIONS[name]]


def expression_vector(name: str) -> np.ndarray:
    """Return the ``(14,)`` float64 0/1 vector of an expression over `ACTION_UNITS`."""
    vector = np.zeros(len(ACTION_UNITS))
    vector[[_POSITIONS[number] for number in EXPRESSIONS[name]]] = 1.0
    return vector


def draw_intensities(weights: Mapping[str, float], generator: np.random.Generator) -> np.ndarray:
    """Draw the intensity of every action unit of one picture.

    Parameters
    ----------
    weights : mapping of str to float
        Expression to its weight; weights sum to 1. One entry is a pure expression.
    generator : numpy.random.Generator
        The picture's own generator.

    Returns
    -------
    ndarray
        ``(14,)`` float64 in [0, 1]. The picture's overall strength and each unit's own spread
        multiply the weighted sum of the sets, so the ratio of two mixed sets stays their weights'.
    """
    mixed = np.sum([weight * expression_vector(name) for name, weight in weights.items()], axis=0)
    gain = 1.0 if len(weights) == 1 else _COMPOUND_GAIN
    strength = generator.uniform(*_STRENGTH)
    spread = generator.uniform(1 - _UNIT_SPREAD, 1 + _UNIT_SPREAD, len(mixed))
    at_rest = np.abs(generator.normal(0.0, _REST_SPREAD, len(mixed)))
    parted = generator.random() < _OPEN_SMILE
    intensities = strength * spread * np.minimum(gain * mixed, 1.0)
    if parted:
        smile = intensities[_POSITIONS[12]]
        intensities[_POSITIONS[25]] = max(intensities[_POSITIONS[25]], smile)
    result: np.ndarray = np.clip(np.maximum(intensities, at_rest), 0.0, 1.0)
    return result
