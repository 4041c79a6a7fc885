"""Clothing1M (Xiao, Xia, Yang, Huang and Wang, CVPR 2015): a million pictures from shops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, resolve_labels
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import read_each
from ferclean.datasets.published.base import (
    PublishedSet,
    labelled_frame,
    open_published,
    read_lines,
    read_name_and_number,
)
from ferclean.datasets.published.noise_lists import refuse_labels_path
from ferclean.errors import FercleanError

_FOLDER = "annotations"  # where many keep the lists; published, they stand beside the pictures
_CLEAN_LABELS = "clean_label_kv.txt"
_LABELS = "{variant}_label_kv.txt"
# Of the training lists only the variant's own is read; the others are the same in both.
_LISTS = {
    "train": "{variant}_train_key_list.txt",
    "val": "clean_val_key_list.txt",
    "test": "clean_test_key_list.txt",
}

# The variant "clean": training pictures that people have labelled.
CLOTHING1M_CLEAN = PublishedSet(
    name="clothing1m",
    title="Clothing1M",
    classes=(
        *("T-Shirt", "Shirt", "Knitwear", "Chiffon", "Sweater", "Hoodie", "Windbreaker"),
        *("Jacket", "Downcoat", "Suit", "Shawl", "Dress", "Vest", "Underwear"),
    ),
    first_number=0,
    needed=("images", _LABELS, _CLEAN_LABELS, *_LISTS.values()),
    rows={"train": 47_570, "val": 14_313, "test": 10_526},
    counts={},
    origin="https://github.com/Cysu/noisy_label (on request by e-mail)",
    terms="non-commercial research only",
    variants=("noisy", "clean"),
)
CLOTHING1M = replace(
    CLOTHING1M_CLEAN,
    rows={**CLOTHING1M_CLEAN.rows, "train": 1_000_000},
    forms={"clean": CLOTHING1M_CLEAN},
)


def read_clothing1m(settings: DataSettings) -> Source:
    """Read Clothing1M: lists in ``data.path`` or its ``annotations``, pictures in ``images``.

    ``data.variant`` says which pictures are training rows: ``noisy``, labelled by the words around
    them, or ``clean``, labelled by people. Validation and test rows have people's labels in both.
    Of the noisy variant, ``true`` is people's label where there is one. In the lists as published
    no noisy training picture has one: those with both labels stand in the clean lists only.

    Raises
    ------
    FercleanError
        If a file of the layout is missing, a list is none, names a picture with two labels, or
        two lists name the same picture.
    """
    refuse_labels_path(settings)
    variant = CLOTHING1M.variant_of(settings)
    inside = (Path(settings.path or "") / _FOLDER).is_dir()
    folder = f"{_FOLDER}/" if inside else ""
    needed = ("images", *(folder + name for name in CLOTHING1M.needed[1:]))
    root = open_published(replace(CLOTHING1M, needed=needed), settings)
    lists = root / folder
    keys = _read_keys(lists, variant)
    # Objects: a million texts that Arrow keeps are slow to go through one by one.
    clean = keys["key"].map(_read_labels(lists / _CLEAN_LABELS)).astype(object)
    words, more = clean, {}
    if variant == "noisy":
        noisy = keys["key"].map(_read_labels(lists / _LABELS.format(variant=variant)))
        words = noisy.astype(object).where(keys["split"].eq("train"), clean)
        known, _ = resolve_labels(clean.dropna(), label_lookup(settings.classes))
        more["true"] = known.reindex(clean.index)
    frame = labelled_frame(keys["key"], words, keys["split"], settings, **more)
    return Source(CLOTHING1M.name, frame, read_each(root, frame, max_pixels=settings.max_pixels))


def _read_keys(folder: Path, variant: str) -> pd.DataFrame:
    """Return ``key`` and ``split`` of all lists, one after the other."""
    parts, paths = [], {}
    for split, name in _LISTS.items():
        paths[split] = folder / name.format(variant=variant)
        lines = [line for _, line in read_lines(paths[split])]
        if not lines:
            raise FercleanError(f"{paths[split]} is empty; unpack it again")
        parts.append(pd.DataFrame({"key": lines, "split": split}, dtype=object))
    keys = pd.concat(parts, ignore_index=True)
    once = keys.drop_duplicates()  # twice in one list is a repeated row, and no contradiction
    twice = once.loc[once["key"].duplicated(), "key"]
    if len(twice):
        first, second, *_ = once.loc[once["key"].eq(twice.iloc[0]), "split"]
        raise FercleanError(
            f"{paths[first]} and {paths[second]} both name {twice.iloc[0]}, and {len(twice)} "
            "pictures in all stand in two lists; leave each in the list of one split only"
        )
    return keys


def _read_labels(path: Path) -> pd.Series:
    """Return the class of each picture that a list of labels names, by its key."""
    found = read_name_and_number(path).drop_duplicates()
    twice = found.loc[found["name"].duplicated(), "name"]
    if len(twice):
        raise FercleanError(
            f"{path} names {twice.iloc[0]} twice with different labels; remove one of the lines"
        )
    words = CLOTHING1M.classes_of(found["number"])
    return pd.Series(words.to_numpy(), index=found["name"], dtype=object)
