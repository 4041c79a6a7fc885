"""RAF-DB (Li, Deng and Du, CVPR 2017): basic and compound expressions."""

from __future__ import annotations

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import read_each
from ferclean.datasets.published.base import (
    ALL,
    PublishedSet,
    labelled_frame,
    open_published,
    read_name_and_number,
)
from ferclean.datasets.published.noise_lists import replace_labels

_LIST = "EmoLabel/list_patition_label.txt"  # the publishers' spelling
_FOLDER = "Image/{variant}"
_ORIGIN = "http://www.whdeng.cn/raf/model1.html (on request by e-mail)"
_TERMS = "non-commercial research only; pictures must not be passed on"

BASIC = PublishedSet(
    name="rafdb",
    title="RAF-DB (basic)",
    classes=("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    first_number=1,
    needed=(_LIST, _FOLDER),
    rows={"train": 12271, "test": 3068},
    counts={
        "train": (1290, 281, 717, 4772, 1982, 705, 2524),
        "test": (329, 74, 160, 1185, 478, 162, 680),
    },
    origin=_ORIGIN,
    terms=_TERMS,
    variants=("aligned", "original"),
    part="basic",
)
COMPOUND = PublishedSet(
    name="rafdb_compound",
    title="RAF-DB (compound)",
    classes=(
        "happily surprised",
        "happily disgusted",
        "sadly fearful",
        "sadly angry",
        "sadly surprised",
        "sadly disgusted",
        "fearfully angry",
        "fearfully surprised",
        "angrily surprised",
        "angrily disgusted",
        "disgustedly surprised",
    ),
    first_number=1,
    needed=(_LIST, _FOLDER),
    rows={"train": 3162, "test": 792},
    counts={ALL: (697, 266, 129, 163, 86, 738, 150, 560, 176, 841, 148)},
    origin=_ORIGIN,
    terms=_TERMS,
    variants=("aligned", "original"),
    part="compound",
)
# The two basic expressions of a compound one: its first word's adverb, and its second word.
_ADVERBS = {
    "happily": "happy",
    "sadly": "sad",
    "fearfully": "fear",
    "angrily": "angry",
    "disgustedly": "disgust",
}


def read_rafdb(settings: DataSettings) -> Source:
    """Read RAF-DB's basic expressions: ``EmoLabel`` and ``Image/aligned`` or ``Image/original``.

    ``data.path`` is the folder ``basic`` or the one that holds it. ``data.variant`` says which
    pictures are read: faces that the publishers aligned (100 x 100), or the photographs.
    ``data.labels_path`` names a list of noisy training labels.

    Raises
    ------
    FercleanError
        If a file of the layout is missing or a list is none.
    """
    return _read(BASIC, settings)


def read_rafdb_compound(settings: DataSettings) -> Source:
    """Read RAF-DB's compound expressions, laid out as the basic ones.

    Where ``data.classes`` holds the compound names, these are the labels. Where it holds basic
    expressions, the label is the second, main word's (*surprised* in *happily surprised*), and the
    truth for evaluation is half of each.
    """
    if all(name in label_lookup(settings.classes) for name in COMPOUND.classes):
        return _read(COMPOUND, settings)
    return _read(COMPOUND, settings, basic=True)


def _read(facts: PublishedSet, settings: DataSettings, *, basic: bool = False) -> Source:
    root, variant = open_published(facts, settings), facts.variant_of(settings)
    found = read_name_and_number(root / _LIST)
    folder = _FOLDER.format(variant=variant)
    words = facts.classes_of(found["number"])
    halves = _halves(words, settings) if basic else {}
    frame = labelled_frame(
        found["name"].map(lambda name: f"{folder}/{_picture_name(name, variant)}"),
        words.map(lambda word: word.split()[-1] if basic and word in facts.classes else word),
        found["name"].str.split("_").str[0].map({"train": "train", "test": "test"}).astype(object),
        settings,
        **halves,
    )
    frame = replace_labels(frame, facts, settings)
    return Source(facts.name, frame, read_each(root, frame, max_pixels=settings.max_pixels))


def _picture_name(name: str, variant: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}_aligned{dot}{suffix}" if variant == "aligned" else name


def _halves(words: pd.Series, settings: DataSettings) -> dict[str, pd.Series]:
    """Return ``true_p_<class>``: half of each of a compound's two expressions.

    Of a compound with one expression among the classes, that one is the whole truth.
    """
    lookup = label_lookup(settings.classes)
    parts = {word: (_ADVERBS[word.split()[0]], word.split()[1]) for word in COMPOUND.classes}
    shares = pd.DataFrame(0.0, index=list(COMPOUND.classes), columns=list(settings.classes))
    for word, pair in parts.items():
        for part in pair:
            if part in lookup:
                shares.loc[word, lookup[part]] = 1.0
    shares = shares.div(shares.sum(axis=1).clip(lower=1.0), axis=0)
    found = shares.reindex(words).fillna(0.0).set_axis(words.index)
    return {f"true_p_{name}": found[name] for name in settings.classes}
