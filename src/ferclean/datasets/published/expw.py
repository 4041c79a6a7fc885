"""ExpW, Expression in the Wild (Zhang, Luo, Loy and Tang, IJCV 2018)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source
from ferclean.datasets.published.base import (
    PublishedSet,
    labelled_frame,
    open_published,
    read_lines,
)
from ferclean.datasets.published.boxes import BOX_COLUMNS, read_boxes
from ferclean.errors import FercleanError

_LIST = "label/label.lst"
_FOLDER = "image/{variant}"
# Of a line after the picture's name, in the order of the publishers' readme.
_FIELDS = ("face", "top", "left", "right", "bottom", "confidence", "number")
_SHOWN = 60

EXPW = PublishedSet(
    name="expw",
    title="ExpW",
    classes=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    first_number=0,
    needed=(_LIST, _FOLDER),
    rows={"train": 91793},
    counts={"train": (3671, 3995, 1088, 30537, 10559, 7060, 34883)},
    origin="http://mmlab.ie.cuhk.edu.hk/projects/socialrelation/index.html",
    terms="non-commercial research only",
    variants=("origin",),
    part="data",
)


def read_expw(settings: DataSettings) -> Source:
    """Read ExpW: ``label/label.lst`` and the photographs in ``image/origin``.

    ``data.path`` is the folder that holds both, or the one that holds this as ``data``. Each line
    is a face of a photograph, cut out by its box; the sample's id is the photograph's path, ``#``
    and the number of the face. All rows are training rows: no split is published. Who is in a
    photograph is not known; its faces count as one ``identity``, so that no photograph stands in
    two splits.

    Raises
    ------
    FercleanError
        If a file of the layout is missing, the list is none, or ``data.labels_path`` is set: a list
        of names does not tell the faces of a photograph apart.
    """
    if settings.labels_path is not None:
        raise FercleanError(
            f"data.labels_path {settings.labels_path} cannot be read with data.source expw: a list "
            "of names does not tell the faces of one photograph apart; leave it out"
        )
    root = open_published(EXPW, settings)
    found = _read_list(root / _LIST)
    folder = _FOLDER.format(variant=EXPW.variant_of(settings))
    path = f"{folder}/" + found["name"]
    frame = labelled_frame(
        path,
        EXPW.classes_of(found["number"]),
        pd.Series("train", index=found.index, dtype=object),
        settings,
    ).assign(sample_id=path + "#" + found["face"], identity=found["name"])
    pictures = read_boxes(root, frame, found[list(BOX_COLUMNS)], max_pixels=settings.max_pixels)
    return Source(EXPW.name, frame, pictures)


def _read_list(path: Path) -> pd.DataFrame:
    rows = []
    for number, line in read_lines(path):
        words = line.rsplit(maxsplit=len(_FIELDS))  # a name may hold spaces
        if len(words) != len(_FIELDS) + 1:
            raise FercleanError(
                f"{path}, line {number}: expected a name and {len(_FIELDS)} numbers, found "
                f"{line[:_SHOWN]!r}"
            )
        rows.append(words)
    if not rows:
        raise FercleanError(f"{path} is empty")
    return pd.DataFrame(rows, columns=["name", *_FIELDS], dtype=object)
