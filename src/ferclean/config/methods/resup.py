"""Settings of ReSup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class ResupSettings:
    """ReSup: rows weighed by how similar predictions and labels are, decisions swapped.

    Defaults are the authors' code's; its one epoch of cross-entropy is the trainer's warm-up.
    """

    mixture: Literal["beta", "gmm_loss", "per_class", "identity"] = setting(
        "beta",
        "Where weights come from: a Beta mixture over similarities, a Gaussian mixture over "
        "losses, a Beta mixture a class, or no mixture (the weight is the similarity).",
    )
    swap: bool = setting(True, "Weigh each network's loss by the other network's decision.")
    agreement_weight: float = setting(
        5.0, "Weight of the squared difference of both predictions; 0 is none.", minimum=0
    )
    test_network: Literal["mean", "first"] = setting(
        "mean", "Predict by both networks' mean logits, or by the first alone as published."
    )
