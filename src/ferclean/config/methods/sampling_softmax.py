"""Settings of sampling softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class SamplingSoftmaxSettings:
    """Sampling softmax: every logit has a mean and a noise, which explains labels away.

    The paper gives the loss and the split of the doubt (with at least 100 draws); how wrong
    labels are found and repaired with them is this project's choice.
    """

    members: int = setting(
        2,
        "Networks of the ensemble; telling epistemic from aleatoric doubt takes at least 2.",
        minimum=1,
    )
    training_samples: int = setting(100, "T, draws of the logits in training.", minimum=1)
    evaluation_samples: int = setting(256, "Draws for predictions.", minimum=1)
    parametrisation: Literal["linear_std", "logit", "linear_variance"] = setting(
        "linear_std",
        "What the second head gives: softplus to a standard deviation, exp to one, or softplus to "
        "a variance.",
    )
    initial_scale: float = setting(0.3, "Standard deviation before training.", above=0)
    learn_scale_in_warm_up: bool = setting(
        True, "Train the second head in warm-up; else it keeps its initial value until then."
    )
    split: Literal["information", "gaussian_logits"] = setting(
        "information",
        "How aleatoric and epistemic doubt are told apart: by mutual information, or by the "
        "variances of the logits as in the paper.",
    )
    score: Literal["nll", "margin", "cds"] = setting(
        "margin",
        "What the Gaussian mixture behind the clean probability ranks labels by: likelihood, "
        "margin, or the margin of sure predictions.",
    )
    aleatoric_quantile: float = setting(
        0.8, "Rows with more aleatoric doubt than this share are ambiguous.", minimum=0, maximum=1
    )
    epistemic_quantile: float = setting(
        0.9, "Rows with more epistemic doubt than this share are hard.", minimum=0, maximum=1
    )
    train_on: Literal["observed", "weighted", "relabelled"] = setting(
        "observed",
        "Labels after warm-up: the observed ones as in the paper, the same weighed by their clean "
        "probability, or the repaired ones.",
    )
