"""Settings of LDL-ALSG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class LdlAlsgSettings:
    """LDL-ALSG: faces that are close in an auxiliary space have similar label distributions.

    The paper's own k and weight are not at hand; these defaults are this project's choice.
    """

    space: Literal["landmarks", "features"] = setting(
        "landmarks",
        "Where faces are neighbours: MTCNN's five landmarks once aligned, or the network's "
        "features (where faces came aligned and have no landmarks).",
    )
    neighbours: int = setting(16, "k of the graph.", minimum=1)
    neighbour_weight: float = setting(
        1.0, "Weight of the divergence from the neighbours' mean prediction.", minimum=0
    )
