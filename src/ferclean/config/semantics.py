"""Section ``semantics``: vectors of the class words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting
from ferclean.errors import FercleanError


@dataclass(frozen=True)
class SemanticsSettings:
    """Source of the word vectors."""

    source: Literal["affect", "file", "corpus", "identity", "random"] = setting(
        "affect", "Where word vectors come from; identity and random are ablations."
    )
    path: str | None = setting(
        None, "word2vec (text or binary, also .gz) or KeyedVectors file; text for corpus."
    )
    words: dict[str, str] = setting({}, "Word to look up for a class, when not its own name.")
    dimensions: int = setting(100, "Dimensions of corpus and random vectors.", minimum=2)
    epochs: int = setting(20, "Passes over the corpus.", minimum=1)
    seed: int = setting(0, "Seed of corpus training and random vectors.", minimum=0)

    def check(self, where: str) -> None:
        """Refuse a source without its file."""
        if self.source in ("file", "corpus") and self.path is None:
            raise FercleanError(f"{where}.path is needed when {where}.source is {self.source!r}")
