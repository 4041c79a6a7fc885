"""Settings of ferclean's own method."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class FercleanSettings:
    """The auditor in the training loop: one setting for all kinds and rates of noise."""

    networks: int = setting(
        2, "Networks, each trained on all rows in an order of its own.", minimum=1
    )
    momentum: float = setting(
        0.7,
        "Of the running means of what each network said of a row.",
        minimum=0,
        maximum=1,
    )
    repair: bool = setting(
        True,
        "Train on refined and guessed labels where the audit expects most of its suggestions to "
        "be right.",
    )
    regularisation: float = setting(
        3.0,
        "Largest weight of the early-learning regulariser: it is met where people erred and falls "
        "to 0 where labels were flipped.",
        minimum=0,
    )
    translate: bool = setting(
        True,
        "Translate predictions, in the same measure, from what annotators would say to what is "
        "likely true.",
    )
