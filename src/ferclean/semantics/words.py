"""Which word stands for which class, and what to say when a word is missing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from ferclean.errors import FercleanError, unknown_name


def class_words(classes: Sequence[str], words: Mapping[str, str]) -> dict[str, str]:
    """Return the word to look up for each class: its own name unless `words` gives another.

    Raises
    ------
    FercleanError
        If `words` names a class that does not exist.
    """
    for name in words:
        if name not in classes:
            raise unknown_name("class in semantics.words", name, classes)
    return {name: words.get(name, name) for name in classes}


def missing_word(name: str, word: str, vocabulary: Iterable[str], source: object) -> FercleanError:
    """Build the error for a word without a vector.

    Parameters
    ----------
    name : str
        The class.
    word : str
        Its word.
    vocabulary : iterable of str
        Words that could be meant; the three with the most similar spelling are named.
    source : object
        Where the vectors come from.

    Returns
    -------
    FercleanError
        To be raised by the caller.
    """
    nearest = difflib.get_close_matches(word, list(vocabulary), n=3, cutoff=0.0)
    hint = f"its nearest entries are {', '.join(map(repr, nearest))}; " if nearest else ""
    return FercleanError(
        f"{source} has no vector for {word!r}; {hint}"
        f"name another word under semantics.words, for example {name}: "
        f"{nearest[0] if nearest else 'WORD'}"
    )
