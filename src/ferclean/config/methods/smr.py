"""Settings of SMR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting
from ferclean.config.methods.co_divide import CoDivideSettings


@dataclass(frozen=True)
class SmrSettings(CoDivideSettings):
    """SMR: mixup warm-up, GMM co-divide, MixMatch, periodic recalibration.

    Defaults are the constants of the authors' CIFAR-10 script at 20 % symmetric noise.
    """

    unlabelled_weight: float | Literal["auto"] = setting(
        0.0,
        "lambda_u, the weight of the unlabelled loss; auto looks it up in DivideMix's table, at "
        "the noise rate that the mixture estimates.",
        minimum=0,
    )
    labelled_batch_size: int = setting(
        128, "Labelled, and as many unlabelled, rows per step.", minimum=1
    )
    recalibration_period: int = setting(
        30, "Every so many epochs one of plain cross-entropy on all rows; 0 is never.", minimum=0
    )
