"""Settings of SSR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class SsrSettings:
    """SSR: relabel what the classifier is sure of, keep what the neighbours confirm.

    Defaults are the constants of the authors' CIFAR-10 script, without feature consistency.
    """

    relabel_threshold: float = setting(
        0.9,
        "theta_r: rows with a higher softmax are relabelled (0.8 at high noise, 0.95 for "
        "Animal-10N).",
        minimum=0,
        maximum=1,
    )
    select_threshold: float = setting(
        1.0,
        "theta_s: rows are selected where the votes for their class reach this share of the "
        "winner's.",
        minimum=0,
        maximum=1,
    )
    neighbours: int = setting(200, "k of the vote.", minimum=1)
    vote_weights: Literal["similarity", "uniform"] = setting(
        "similarity", "Neighbours vote by their cosine, or alike (the authors' code)."
    )
    balanced_vote: bool = setting(
        True, "Divide votes by the classes' shares of the labels (the authors' code)."
    )
    alpha: float = setting(4.0, "Beta(alpha, alpha) of mixup (0.5 for Animal-10N).", above=0)
    consistency_weight: float = setting(
        0.0, "lambda of the feature consistency on all rows; 1 is SSR+.", minimum=0
    )
