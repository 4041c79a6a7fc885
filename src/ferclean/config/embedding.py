"""Section ``embedding``: the auto-encoder that ties faces to word vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting
from ferclean.config.training import OptimizerSettings


@dataclass(frozen=True)
class EmbeddingSettings:
    """The auto-encoder that ties faces to word vectors, for methods that read it."""

    encoder: Literal["tiny", "vgg10"] = setting(
        "tiny", "Network: a small one for a CPU, or the published one."
    )
    epochs: int = setting(
        10, "Training epochs; with folds: 1, long training learns wrong labels by heart.", minimum=1
    )
    batch_size: int = setting(64, "Pictures per step.", minimum=2)
    folds: int = setting(
        2,
        "A row's code comes from a network that never saw the rows of its fold; 1 is one network "
        "on all rows, as published.",
        minimum=1,
    )
    cosine_weight: float = setting(
        1.0, "gamma, the weight of the cosine loss beside the reconstruction error.", minimum=0
    )
    optimizer: OptimizerSettings = setting(OptimizerSettings(), "Optimiser.")
