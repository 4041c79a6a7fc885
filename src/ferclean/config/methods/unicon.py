"""Settings of UNICON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class UniconSettings:
    """UNICON: class-balanced selection by divergence, MixMatch, contrastive loss.

    Defaults are the constants of the authors' CIFAR-10 script, whose strong views are
    AutoAugment's (``training.strong_augment.policy: autoaugment``).
    """

    alpha: float = setting(4.0, "Beta(alpha, alpha) of mixup.", above=0)
    temperature: float = setting(0.5, "Sharpening temperature T.", above=0)
    unlabelled_weight: float = setting(
        30.0, "lambda_u, the weight of the unlabelled loss.", minimum=0
    )
    ramp_up_epochs: float = setting(16.0, "Epochs over which lambda_u ramps up.", above=0)
    labelled_batch_size: int = setting(
        64,
        "B, labelled rows per step; with a selected share SR there are B / (2 SR) unlabelled ones.",
        minimum=1,
    )
    divergence_unit: Literal["nats", "bits"] = setting(
        "nats",
        "Of the Jensen-Shannon divergence: nats as in the authors' code (at most 0.69), or bits "
        "as in the paper (at most 1); only in bits can the mean exceed the default limit below.",
    )
    divergence_limit: float = setting(
        0.7, "d_mu: a mean divergence above this is lowered.", minimum=0, maximum=1
    )
    divergence_slack: float = setting(
        5.0, "tau: lowered by the mean's distance from the smallest over this.", minimum=1
    )
    trusted_divergence: float = setting(
        0.5, "Labels of selected rows below this divergence are not refined.", minimum=0, maximum=1
    )
    contrastive_weight: float = setting(
        0.025, "lambda_c, the weight of the contrastive loss of unlabelled rows.", minimum=0
    )
    contrastive_temperature: float = setting(0.05, "Temperature of that loss.", above=0)
    projection_width: int = setting(128, "Width of that loss's projection head.", minimum=1)
