"""FER+ as a folder of pictures for each split, with the votes in ``label.csv``."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source
from ferclean.datasets.ferplus import VOTE_COLUMNS, apply_votes, parse_votes
from ferclean.datasets.published.base import PublishedSet, open_published, read_lines
from ferclean.datasets.published.boxes import BOX_COLUMNS, read_boxes
from ferclean.datasets.published.noise_lists import replace_labels
from ferclean.errors import FercleanError

_SPLITS = {"FER2013Train": "train", "FER2013Valid": "val", "FER2013Test": "test"}
_LIST = "label.csv"
_BOX = re.compile(r"\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)")
_NO_BOX = ("", "", "", "")
_SHOWN = 60

FERPLUS = PublishedSet(
    name="ferplus",
    title="FER+ (folders)",
    classes=VOTE_COLUMNS[:-2],
    first_number=0,
    needed=tuple(f"{folder}/{name}" for folder in _SPLITS for name in ("", _LIST)),
    rows={},  # not stated by the publishers; pictures that nobody took for a face are left out
    counts={},
    origin="https://github.com/microsoft/FERPlus (votes) with FER2013 (pictures)",
    terms="votes MIT, pictures research only",
    part="data",
)


def read_ferplus_folders(settings: DataSettings) -> Source:
    """Read FER+ as its own scripts unpack it: ``FER2013Train``, ``FER2013Valid``, ``FER2013Test``.

    ``data.path`` is the folder that holds the three, or the one that holds this as ``data``. In
    each lie pictures and ``label.csv``, whose lines are a picture, its face's box in quotes and
    ten votes, without a header. FER2013's own labels stand nowhere there: the label is the winner
    of the votes whatever ``data.labels`` says.

    Raises
    ------
    FercleanError
        If a file of the layout is missing, or a list is none.
    """
    root = open_published(FERPLUS, settings)
    found = pd.concat([_read_list(root, folder) for folder in _SPLITS], ignore_index=True)
    frame = found[["sample_id", "path", "split"]].assign(given=None, reason=None).astype(object)
    votes = parse_votes(found[list(VOTE_COLUMNS)])
    frame = apply_votes(frame, votes, settings=replace(settings, labels="ferplus_winner"))
    frame = replace_labels(frame, FERPLUS, settings)
    boxes = found[list(BOX_COLUMNS)]
    return Source(
        FERPLUS.name, frame, read_boxes(root, frame, boxes, max_pixels=settings.max_pixels)
    )


def _read_list(root: Path, folder: str) -> pd.DataFrame:
    path, rows = root / folder / _LIST, []
    for number, line in read_lines(path):
        values = _values(line)
        if len(values) != 2 + len(VOTE_COLUMNS) or not values[0]:
            raise FercleanError(
                f"{path}, line {number}: expected a picture, a box in quotes and "
                f"{len(VOTE_COLUMNS)} votes, found {line[:_SHOWN]!r}"
            )
        name, box, *votes = values
        match = _BOX.fullmatch(box)
        rows.append((f"{folder}/{name}", *(match.groups() if match else _NO_BOX), *votes))
    if not rows:
        raise FercleanError(f"{path} is empty")
    frame = pd.DataFrame(rows, columns=["path", *BOX_COLUMNS, *VOTE_COLUMNS], dtype=object)
    return frame.assign(sample_id=frame["path"], split=_SPLITS[folder])


def _values(line: str) -> list[str]:
    try:
        return [value.strip() for value in next(csv.reader([line], skipinitialspace=True))]
    except csv.Error:
        return []
