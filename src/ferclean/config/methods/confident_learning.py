"""Settings of confident learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class ConfidentLearningSettings:
    """Confident learning: find wrong labels out of fold, drop them, train anew."""

    folds: int = setting(
        3, "Networks that judge, each the rows that it did not see; one more is trained.", minimum=2
    )
    rule: Literal["prune_by_noise_rate", "prune_by_class", "both", "argmax"] = setting(
        "prune_by_noise_rate", "Which labels are wrong, by cleanlab's names."
    )
