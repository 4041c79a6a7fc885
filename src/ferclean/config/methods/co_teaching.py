"""Settings of Co-teaching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class CoTeachingSettings:
    """Co-teaching: each network trains on the rows of small loss of the other."""

    noise_rate: float | Literal["auto"] = setting(
        "auto",
        "r, the share of rows forgotten in the end; auto estimates it by a Gaussian mixture over "
        "the losses before every epoch, and forgets none during warm-up.",
        minimum=0,
        maximum=1,
    )
    gradual_epochs: int = setting(10, "Epochs over which r is reached.", minimum=1)
