"""Section ``evaluate``."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class EvaluateSettings:
    """How results are measured."""

    calibration_bins: int = setting(15, "Equal-width bins of the calibration error.", minimum=2)
