"""Settings of SMR."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class SmrSettings:
    """SMR: mixup warm-up, GMM co-divide, MixMatch, periodic recalibration.

    Defaults are the constants of the authors' CIFAR-10 script at 20 % symmetric noise.
    """

    alpha: float = setting(4.0, "Beta(alpha, alpha) of mixup.", above=0)
    temperature: float = setting(0.5, "Sharpening temperature T.", above=0)
    clean_threshold: float = setting(
        0.5, "Rows with a clean probability above this are labelled.", minimum=0, maximum=1
    )
    unlabelled_weight: float = setting(
        0.0, "lambda_u, the weight of the unlabelled loss.", minimum=0
    )
    ramp_up_epochs: float = setting(16.0, "Epochs over which lambda_u ramps up.", above=0)
    recalibration_period: int = setting(
        30, "Every so many epochs one of plain cross-entropy on all rows; 0 is never.", minimum=0
    )
    loss_history: int = setting(
        1, "Epochs of losses averaged before the mixture is fitted (5 at 90 % noise).", minimum=1
    )
    labelled_batch_size: int = setting(
        128, "Labelled, and as many unlabelled, rows per step.", minimum=1
    )
