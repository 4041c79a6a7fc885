"""Settings of ELR."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class ElrSettings:
    """ELR: early-learning regularisation by running targets.

    Defaults are the constants of the authors' code for CIFAR-10 with symmetric noise.
    """

    regularisation: float = setting(
        3.0,
        "lambda of the regulariser (1 for asymmetric noise, 7 for CIFAR-100).",
        minimum=0,
    )
    momentum: float = setting(
        0.7,
        "beta of the running targets (0.9 for asymmetric noise and CIFAR-100).",
        minimum=0,
        maximum=1,
    )
