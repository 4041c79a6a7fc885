"""ANIMAL-10N (Song, Kim and Lee, ICML 2019): confusable animals with human label noise."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, first_reason
from ferclean.datasets.files import read_each
from ferclean.datasets.folders import list_files, name_trouble, printable_name
from ferclean.datasets.published.base import PublishedSet, labelled_frame, open_published
from ferclean.errors import FercleanError

_FOLDERS = {"training": "train", "testing": "test"}
_NAME = re.compile(r"([^_]+)_.+\.jpe?g", re.IGNORECASE)

ANIMAL10N = PublishedSet(
    name="animal10n",
    title="ANIMAL-10N",
    classes=(
        "cat",
        "lynx",
        "wolf",
        "coyote",
        "cheetah",
        "jaguar",
        "chimpanzee",
        "orangutan",
        "hamster",
        "guinea pig",
    ),
    first_number=0,
    needed=tuple(_FOLDERS),
    rows={"train": 50000, "test": 5000},
    counts={},
    origin="https://dm.kaist.ac.kr/datasets/animal-10n/ (on request)",
    terms="research only",
    part="raw_image",
)


def read_animal10n(settings: DataSettings) -> Source:
    """Read ANIMAL-10N's pictures: ``training`` and ``testing`` with ``<label>_<id>.jpg``.

    Numbers are named as the publishers name them. (In public code one reader says that 4 shows
    jaguars and 5 cheetahs; no copy was at hand to look.) Labels of the training pictures are
    people's, about 8 in 100 of them wrong; which ones is not known. Every file is a row, so that a
    stray one is seen in the quarantine table.

    Raises
    ------
    FercleanError
        If a folder is missing, or settings name what this set does not have.
    """
    if settings.labels_path is not None or settings.variant is not None:
        raise FercleanError(
            "data.source animal10n has one form and its own noisy labels: leave data.variant and "
            "data.labels_path out"
        )
    root = open_published(ANIMAL10N, settings)
    found = [
        (f"{folder}/{name}", split)
        for folder, split in _FOLDERS.items()
        for name in list_files(root / folder)
    ]
    paths = pd.Series([printable_name(name) for name, _ in found], dtype=object)
    labels = pd.Series([_label(path) for path in paths], dtype=object)
    frame = labelled_frame(
        paths,
        ANIMAL10N.classes_of(labels),
        pd.Series([split for _, split in found], dtype=object),
        settings,
    )
    trouble = pd.Series([_trouble(name) for name, _ in found], dtype=object)
    frame["reason"] = first_reason(trouble, frame["reason"])
    return Source(ANIMAL10N.name, frame, read_each(root, frame, max_pixels=settings.max_pixels))


def _trouble(name: str) -> str | None:
    """Return why a file cannot be a row, by its name alone."""
    return name_trouble(name) or (None if _label(name) else "file name is not <label>_<id>.jpg")


def _label(path: str) -> str | None:
    match = _NAME.fullmatch(PurePosixPath(path).name)
    return match[1] if match else None
