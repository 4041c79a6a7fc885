"""Vectors trained on a text with gensim's Word2Vec, the same ones each time."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ferclean.errors import FercleanError
from ferclean.progress import say
from ferclean.semantics.words import missing_word
from ferclean.tables.inputs import require_no_device

_SENTENCE_TOKENS = 10_000  # gensim silently cuts what is longer


class TokenLines:
    """The lines of a text as lists of lower-case words; can be read again and again.

    Parameters
    ----------
    path : str or Path
        Text in UTF-8; bytes that are not are replaced. One line is one context.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __iter__(self) -> Iterator[list[str]]:
        from gensim.utils import simple_preprocess

        require_no_device(self._path)
        try:
            with self._path.open(encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    words = simple_preprocess(line)
                    for start in range(0, len(words), _SENTENCE_TOKENS):
                        yield words[start : start + _SENTENCE_TOKENS]
        except OSError as error:
            raise FercleanError(
                f"semantics.path: cannot read {self._path}: {error.strerror}"
            ) from None


def corpus_vectors(
    path: str | Path, words: Mapping[str, str], *, dimensions: int, epochs: int, seed: int
) -> tuple[np.ndarray, dict[str, int]]:
    """Train skip-gram word2vec on a text.

    One worker and a hash that does not change between processes make the result a function of
    the arguments. Skip-gram and no minimal count, because some class words are rare; a word
    seen a few times has a vector, but hardly a meaning, which is why counts are returned.

    Parameters
    ----------
    path : str or Path
        The text; one line is one context.
    words : mapping of str to str
        Class to word, K entries.
    dimensions, epochs, seed : int
        Size of the vectors D, passes over the text, and the seed.

    Returns
    -------
    vectors : numpy.ndarray
        ``(K, D)`` float64.
    occurrences : dict of str to int
        Class to the count of its word.

    Raises
    ------
    FercleanError
        If the text cannot be read or a word does not occur.
    """
    from gensim.models import Word2Vec

    lines = TokenLines(path)
    counts = Counter(word for line in lines for word in line)
    for name, word in words.items():
        if word not in counts:
            raise missing_word(name, word, counts, path)
    model = Word2Vec(
        lines,
        vector_size=dimensions,
        epochs=epochs,
        seed=seed,
        sg=1,
        min_count=1,
        workers=1,
        hashfxn=_stable_hash,
        callbacks=[_epoch_lines(epochs)],
    )
    vectors = np.stack([model.wv[word] for word in words.values()]).astype(np.float64)
    return vectors, {name: counts[word] for name, word in words.items()}


def _epoch_lines(epochs: int) -> Any:
    from gensim.models.callbacks import CallbackAny2Vec

    class EpochLines(CallbackAny2Vec):  # type: ignore[misc]  # gensim has no types
        start, done = time.monotonic(), 0

        def on_epoch_end(self, model: Any) -> None:
            self.done += 1
            left = (time.monotonic() - self.start) / self.done * (epochs - self.done)
            say(f"word2vec: epoch {self.done}/{epochs}, {left:.0f} s left")

    return EpochLines()


def _stable_hash(text: str) -> int:
    return zlib.crc32(text.encode())
