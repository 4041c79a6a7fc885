"""Section ``grid``: which runs the workflow makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting
from ferclean.errors import FercleanError, unknown_name

# Between training on all rows as they are and on the rows whose label is right lies what a method
# can gain.
CONTROL, CEILING = "cross_entropy", "oracle_clean"
NoiseKind = Literal[
    "none", "symmetric", "symmetric_inclusive", "asymmetric", "pairflip", "instance", "file"
]


@dataclass(frozen=True)
class GridSettings:
    """Every method is run on every noise kind, rate and seed; each key takes a value or a list."""

    methods: tuple[str, ...] = setting(("smr",), "Methods to run.")
    controls: tuple[str, ...] = setting(
        (CONTROL, CEILING),
        "Controls run beside every method; oracle_clean only where the truth is known.",
    )
    noise: tuple[NoiseKind, ...] = setting(("symmetric",), "Noise kinds to inject.")
    rates: tuple[float, ...] = setting(
        (0.3,), "Nominal noise rates; unused by none and file.", minimum=0, maximum=1
    )
    seeds: tuple[int, ...] = setting((0,), "Seeds of the noise draw and of training.", minimum=0)

    def check(self, where: str) -> None:
        """Every method must be registered and no list empty."""
        from ferclean.config.methods import METHOD_NAMES

        for key in ("methods", "noise", "rates", "seeds"):
            if not getattr(self, key):
                raise FercleanError(f"{where}.{key} must not be empty")
        for name in (*self.methods, *self.controls):
            if name not in METHOD_NAMES:
                raise unknown_name(f"method in {where}", name, METHOD_NAMES)
