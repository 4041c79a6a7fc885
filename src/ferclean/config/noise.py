"""Section ``noise``: details of the noise protocols (kind, rate and seed stand in ``grid``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class NoiseSettings:
    """Details that only some protocols read."""

    asymmetric_map: Literal["fer", "cifar10"] | dict[str, str] = setting(
        "fer", "Where asymmetric noise sends each class: a named map or class: class pairs."
    )
    file: str | None = setting(None, "Table with sample_id and label for the noise kind 'file'.")
    instance_spread: float = setting(
        0.1, "Standard deviation of the per-sample flip rate of instance noise.", above=0
    )
