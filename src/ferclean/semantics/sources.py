"""The sources of word vectors, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ferclean.config.semantics import SemanticsSettings
from ferclean.semantics.affect import CITATION, affect_vectors
from ferclean.semantics.corpus import corpus_vectors
from ferclean.semantics.word2vec_file import file_vectors


@dataclass(frozen=True)
class WordVectors:
    """Vectors of the class words and where they come from.

    Attributes
    ----------
    words : dict of str to str
        Class to word, K entries in class order.
    vectors : numpy.ndarray
        ``(K, D)`` float64.
    citation : str, optional
        What to cite for them.
    occurrences : dict of str to int
        How often the class's word stands in the corpus; empty for other sources.
    """

    words: dict[str, str]
    vectors: np.ndarray
    citation: str | None = None
    occurrences: dict[str, int] = field(default_factory=dict)


def _affect(words: dict[str, str], settings: SemanticsSettings) -> WordVectors:
    return WordVectors(words, affect_vectors(words), CITATION)


def _file(words: dict[str, str], settings: SemanticsSettings) -> WordVectors:
    return WordVectors(words, file_vectors(_path(settings), words))


def _corpus(words: dict[str, str], settings: SemanticsSettings) -> WordVectors:
    vectors, occurrences = corpus_vectors(
        _path(settings),
        words,
        dimensions=settings.dimensions,
        epochs=settings.epochs,
        seed=settings.seed,
    )
    return WordVectors(words, vectors, occurrences=occurrences)


def _identity(words: dict[str, str], settings: SemanticsSettings) -> WordVectors:
    return WordVectors(words, np.eye(len(words)))


def _random(words: dict[str, str], settings: SemanticsSettings) -> WordVectors:
    generator = np.random.default_rng(settings.seed)
    return WordVectors(words, generator.standard_normal((len(words), settings.dimensions)))


SOURCES: dict[str, Callable[[dict[str, str], SemanticsSettings], WordVectors]] = {
    "affect": _affect,
    "file": _file,
    "corpus": _corpus,
    "identity": _identity,
    "random": _random,
}


def word_vectors(words: Mapping[str, str], settings: SemanticsSettings) -> WordVectors:
    """Make the vectors of the class words.

    Parameters
    ----------
    words : mapping of str to str
        Class to word, K entries in class order.
    settings : SemanticsSettings
        Section ``semantics``; its ``source`` is a key of :data:`SOURCES`.

    Returns
    -------
    WordVectors

    Raises
    ------
    FercleanError
        If a file cannot be read or a word has no vector.
    """
    return SOURCES[settings.source](dict(words), settings)


def _path(settings: SemanticsSettings) -> str:
    if settings.path is None:
        raise ValueError(f"source {settings.source!r} needs a path")
    return settings.path
