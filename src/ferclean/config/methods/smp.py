"""Settings of SMP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class SmpSettings:
    """SMP: labels corrected by their similarity to several prototypes of every class.

    Defaults are the paper's constants for Clothing1M; warm-up is its time with alpha = 0.
    """

    corrected_weight: float = setting(
        0.5,
        "alpha, the weight of the corrected labels; 1 - alpha is the observed ones'.",
        minimum=0,
        maximum=1,
    )
    samples: int = setting(
        1280,
        "m, rows of a class among which its prototypes are chosen; fewer in a small class.",
        minimum=2,
    )
    prototypes_per_class: int = setting(8, "p, most prototypes of one class.", minimum=1)
    prototypes: Literal["density_peaks", "k_means", "euclidean_density_peaks"] = setting(
        "density_peaks",
        "How they are chosen: by density and diversity of cosines (the paper's own), as centres "
        "of k-means++, or by density peaks over Euclidean distances.",
    )
    density_quantile: float = setting(
        0.4, "S_c as a quantile of the ascending similarities.", minimum=0, maximum=1
    )
    diversity_limit: float = setting(
        0.95, "eta below which a point may be a prototype, with density_peaks.", minimum=-1
    )
    centre_features: bool = setting(
        False,
        "Subtract the mean feature first: cosines of a young network's features are all near 1, "
        "and eta then lets hardly any dense point pass.",
    )
    temperature: float = setting(
        0.1, "Of the softmax over similarities that the label table shows; trains nothing.", above=0
    )
