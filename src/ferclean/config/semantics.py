"""Section ``semantics``: vectors of the class words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class SemanticsSettings:
    """Source of the word vectors."""

    source: Literal["affect", "file", "corpus", "identity", "random"] = setting(
        "affect", "Where word vectors come from; identity and random are ablations."
    )
    path: str | None = setting(None, "word2vec file (file) or text (corpus).")
    words: dict[str, str] = setting({}, "Word to look up for a class, when not its own name.")
    dimensions: int = setting(100, "Dimensions of corpus and random vectors.", minimum=2)
    epochs: int = setting(20, "Passes over the corpus.", minimum=1)
    seed: int = setting(0, "Seed of corpus training and random vectors.", minimum=0)
