"""Settings of the methods that divide the rows by a mixture: DivideMix and SMR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class CoDivideSettings:
    """What DivideMix and SMR have in common, at DivideMix's constants for CIFAR-10."""

    alpha: float = setting(4.0, "Beta(alpha, alpha) of mixup.", above=0)
    temperature: float = setting(0.5, "Sharpening temperature T.", above=0)
    clean_threshold: float = setting(
        0.5, "Rows with a clean probability above this are labelled.", minimum=0, maximum=1
    )
    unlabelled_weight: float | Literal["auto"] = setting(
        25.0,
        "lambda_u, the weight of the unlabelled loss; auto looks it up in DivideMix's table, at "
        "the noise rate that the mixture estimates.",
        minimum=0,
    )
    ramp_up_epochs: float = setting(16.0, "Epochs over which lambda_u ramps up.", above=0)
    loss_history: int = setting(
        1, "Epochs of losses averaged before the mixture is fitted (5 at 90 % noise).", minimum=1
    )
    labelled_batch_size: int = setting(
        64, "Labelled, and as many unlabelled, rows per step.", minimum=1
    )
    strong_updates: bool = setting(
        False,
        "Take gradient steps on strongly augmented views; losses and guesses keep the weak ones "
        "(AugDesc).",
    )


@dataclass(frozen=True)
class DivideMixSettings(CoDivideSettings):
    """DivideMix: warm-up, GMM co-divide, MixMatch."""

    warm_up: Literal["cross_entropy", "confidence_penalty"] = setting(
        "cross_entropy",
        "Loss of the warm-up; the penalty on sure predictions is for asymmetric noise.",
    )
