"""Mini-WebVision: the first 50 classes of WebVision 1.0's Google pictures (Li et al. 2017)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source
from ferclean.datasets.files import read_each
from ferclean.datasets.folders import list_files, printable_name
from ferclean.datasets.published.base import (
    PublishedSet,
    labelled_frame,
    open_published,
    read_lines,
    read_name_and_number,
)
from ferclean.datasets.published.noise_lists import refuse_labels_path
from ferclean.errors import FercleanError

_TRAINING = "info/train_filelist_google.txt"
_VALIDATION, _VALIDATION_FOLDER = "info/val_filelist.txt", "val_images_256"
_SYNSETS, _ILSVRC_FOLDER = "info/synsets.txt", "ilsvrc12/val"
_WORDNET_ID = re.compile(r"n\d{8}")
# Which files the test rows of each variant need.
_TEST_FILES = {
    "webvision": (_VALIDATION, _VALIDATION_FOLDER),
    "ilsvrc12": (_SYNSETS, _ILSVRC_FOLDER),
}

# The first 50 classes: Jiang et al., MentorNet, ICML 2018; all later work keeps to them.
WEBVISION_MINI = PublishedSet(
    name="webvision_mini",
    title="WebVision 1.0",
    classes=tuple(str(number) for number in range(50)),
    first_number=0,
    needed=(_TRAINING,),
    rows={"train": 65_944, "test": 2_500},
    counts={"test": (50,) * 50},
    origin="https://data.vision.ee.ethz.ch/cvl/webvision/dataset2017.html (resized pictures)",
    terms="research only",
    variants=tuple(_TEST_FILES),
)


def read_webvision_mini(settings: DataSettings) -> Source:
    """Read WebVision's Google pictures with a number of 0 to 49; other rows are another set's.

    ``data.variant`` says what the test rows are: ``webvision``, its own validation pictures, or
    ``ilsvrc12``, ImageNet's validation pictures of the same 50 classes, sorted into the folders
    ``ilsvrc12/val/<WordNet id>``. ``info/synsets.txt`` says which id has which number.

    Raises
    ------
    FercleanError
        If a file of the layout is missing or a list is none.
    """
    refuse_labels_path(settings)
    variant = WEBVISION_MINI.variant_of(settings)
    needed = (*WEBVISION_MINI.needed, *_TEST_FILES[variant])
    root = open_published(replace(WEBVISION_MINI, needed=needed), settings)
    training = _first_classes(root / _TRAINING)
    test = _ilsvrc_rows(root) if variant == "ilsvrc12" else _validation_rows(root)
    rows = pd.concat(
        [training.assign(split="train"), test.assign(split="test")], ignore_index=True
    ).astype(object)
    words = WEBVISION_MINI.classes_of(rows["number"])
    frame = labelled_frame(rows["name"], words, rows["split"], settings)
    pictures = read_each(root, frame, max_pixels=settings.max_pixels)
    return Source(WEBVISION_MINI.name, frame, pictures)


def _first_classes(path: Path) -> pd.DataFrame:
    """Read a list, without the rows of WebVision's further classes; what is no number stays."""
    found = read_name_and_number(path)
    further = pd.to_numeric(found["number"], errors="coerce") >= len(WEBVISION_MINI.classes)
    return found[~further]


def _validation_rows(root: Path) -> pd.DataFrame:
    found = _first_classes(root / _VALIDATION)
    return found.assign(name=_VALIDATION_FOLDER + "/" + found["name"])


def _ilsvrc_rows(root: Path) -> pd.DataFrame:
    rows = []
    for number, wordnet_id in enumerate(_wordnet_ids(root / _SYNSETS)):
        folder = f"{_ILSVRC_FOLDER}/{wordnet_id}"
        if not (root / folder).is_dir():
            raise FercleanError(
                f"{root / folder} is missing; ImageNet's validation pictures must be sorted into a "
                "folder for each class"
            )
        names = [printable_name(name) for name in list_files(root / folder)]
        rows += [(f"{folder}/{name}", str(number)) for name in names]
    return pd.DataFrame(rows, columns=["name", "number"], dtype=object)


def _wordnet_ids(path: Path) -> list[str]:
    """Return the WordNet ids of classes 0 to 49, the first word of a line each."""
    count = len(WEBVISION_MINI.classes)
    found: list[str] = []
    for number, line in read_lines(path):
        if len(found) == count:
            break
        word = line.split()[0]
        if not _WORDNET_ID.fullmatch(word) or word in found:
            raise FercleanError(
                f"{path}, line {number}: expected another WordNet id such as n01440764, found "
                f"{word[:60]!r}; unpack WebVision's info.tar again"
            )
        found.append(word)
    if len(found) < count:
        raise FercleanError(
            f"{path} names {len(found)} classes, not at least {count}; unpack WebVision's "
            "info.tar again"
        )
    return found
