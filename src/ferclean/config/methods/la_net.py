"""Settings of LA-Net's label distribution estimation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class LaNetSettings:
    """LA-Net: label distributions estimated from neighbours within the batch.

    Defaults are the constants of the authors' code. Its landmark head and its contrastive loss
    are no part of this recipe: MTCNN's landmarks stand in for the head's.
    """

    second_space: Literal["landmarks", "none"] = setting(
        "landmarks",
        "Beside expression features, look for neighbours among MTCNN's five landmarks once "
        "aligned; none where faces came aligned and have no landmarks.",
    )
    neighbours: int = setting(8, "K in each space.", minimum=1)
    momentum: float = setting(0.9, "Of the running label distributions.", minimum=0, maximum=1)
    divergence_weight: float = setting(1.0, "Weight of the divergence.", minimum=0)
    divergence: Literal["of_prediction", "of_target"] = setting(
        "of_prediction",
        "KL(prediction || target), or KL(target || prediction), which is what the authors' call "
        "of torch's kl_div computes.",
    )
