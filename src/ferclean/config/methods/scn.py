"""Settings of SCN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class ScnSettings:
    """SCN: the self-cure network weighs faces by their importance and relabels for good.

    Defaults are the constants of the authors' code; where the paper differs there is a switch.
    """

    high_share: float = setting(
        0.7, "beta, the share of a batch in the group of high importance.", minimum=0, maximum=1
    )
    rank_margin: float = setting(
        0.15,
        "delta_1, by how much the groups' mean importances are to differ (0.07 for batches of 64).",
        minimum=0,
        maximum=1,
    )
    combine: Literal["sum", "weighted"] = setting(
        "sum",
        "The loss is cross-entropy plus rank regularisation, as in the authors' code, or weighted "
        "as in the paper.",
    )
    rank_weight: float = setting(
        0.5, "gamma of the rank regularisation in the weighted loss.", minimum=0, maximum=1
    )
    relabel_epoch: int = setting(
        10, "First epoch that changes labels, counted from 1 and from warm-up's start.", minimum=1
    )
    relabel_margin: float = setting(
        0.2,
        "delta_2, by how much another class must be more likely than the label.",
        minimum=0,
        maximum=1,
    )
    relabel_rule: Literal["paper", "code"] = setting(
        "paper",
        "Which rows may be relabelled: the group of low importance only, or, as in the authors' "
        "code, any.",
    )
