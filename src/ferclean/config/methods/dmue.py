"""Settings of DMUE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class DmueSettings:
    """DMUE: latent distributions from auxiliary branches and pairwise uncertainty.

    Defaults are the constants of the authors' code for RAF-DB, but for the branches' width. With
    few classes logits have too few dimensions to follow the features, and learn nothing else.
    """

    branch_width: int = setting(
        128,
        "Width of each branch's own layer, which stands in for a copy of the backbone's last "
        "stage.",
        minimum=1,
    )
    temperature: float = setting(1.2, "T that latent distributions are sharpened by.", above=0)
    soft_weight: float = setting(0.5, "omega, the weight of the latent distributions.", minimum=0)
    similarity_weight: float = setting(
        1000.0, "gamma, the weight of similarity preservation.", minimum=0
    )
    similarity_of: Literal["features", "logits"] = setting(
        "features",
        "What of the auxiliary branches is compared with the target branch's features: their "
        "features, or, as the authors' code has it, their logits.",
    )
    ramp_epochs: float = setting(
        9.0, "a, the epochs until the target branch counts fully.", above=0
    )
