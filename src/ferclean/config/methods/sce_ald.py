"""Settings of SCE-ALD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class SceAldSettings:
    """SCE-ALD: label distributions amended with the semantic correlations of the classes.

    Its cross-entropy epochs are the trainer's warm-up: 9 in the paper, which amends from epoch
    10 on.
    """

    beta: float = setting(
        0.7,
        "Weight of the observed label's loss; the rest is the amended distribution's.",
        minimum=0,
        maximum=1,
    )
    transport: Literal["semantic", "sample", "index"] = setting(
        "semantic",
        "Reading of the Wasserstein distance between the two class-relation graphs.",
    )
    temperature: float = setting(
        0.1, "Softmax temperature that makes distributions of the graphs.", above=0
    )
    distance: Literal["l2norm", "raw"] = setting(
        "l2norm", "Distance to prototypes: between unit vectors, or as the paper writes it."
    )
    exponent: float = setting(
        1.0, "Amended probabilities fall with the squared distance to this power.", above=0
    )
    leave_one_out: bool = setting(
        False, "Measure each row against its class's prototype without that row."
    )
    confidence_in_loss: bool = setting(
        False, "Weigh each row's loss with its confidence, scaled to mean 1."
    )
