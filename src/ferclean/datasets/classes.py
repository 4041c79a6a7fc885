"""Class names: canonical ones inside, everybody else's words and numbers outside."""

from __future__ import annotations

from collections.abc import Sequence

# FER2013 numbers its classes 0 to 6 in this order (Goodfellow et al. 2013).
FER2013_ORDER = ("angry", "disgusted", "fear", "happy", "sad", "surprised", "neutral")

# Words for one expression; the first is the canonical class name.
_SYNONYMS = (
    ("surprised", "surprise", "astonished"),
    ("fear", "fearful", "afraid", "scared"),
    ("disgusted", "disgust"),
    ("happy", "happiness", "joy"),
    ("sad", "sadness"),
    ("angry", "anger"),
    ("neutral", "neutrality", "no emotion"),
    ("contempt", "contemptuous"),
)


def label_lookup(classes: Sequence[str]) -> dict[str, str]:
    """Map every accepted word, in lower case, to the class it names.

    Parameters
    ----------
    classes : sequence of str
        The data set's class names. A name that belongs to a group of synonyms is also reached
        by the group's other words; any other name only by itself.

    Returns
    -------
    dict
        Lower-case word to class name.
    """
    lookup = {name.lower(): name for name in classes}
    for words in _SYNONYMS:
        named = [lookup[word] for word in words if word in lookup]
        # Two classes of one group ("joy" and "happy") keep their own words only.
        if len(named) == 1:
            lookup.update(dict.fromkeys(words, named[0]))
    return lookup
