"""Settings of LTNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class LtnetSettings:
    """LTNet: a latent true label behind every annotator's transition matrix."""

    annotators: Literal["all", "table", "observed"] = setting(
        "all",
        "Whose labels are explained: the observed ones and those of data.annotators, the latter "
        "alone, or the observed ones alone.",
    )
    diagonal: float = setting(
        999.0,
        "Diagonal of the transition matrices before their rows are first normalised.",
        above=0,
    )
    smallest: float = setting(
        0.01,
        "The rest of the transition matrices before their rows are first normalised; negative "
        "entries go back to what it then is.",
        above=0,
    )
