"""AffectNet (Mollahosseini, Hasani and Mahoor, IEEE Trans. Affective Computing 2017)."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, first_reason
from ferclean.datasets.files import read_csv_rows, read_each, read_inside
from ferclean.datasets.folders import list_files, printable_name
from ferclean.datasets.pictures import PictureError
from ferclean.datasets.published.base import (
    PublishedSet,
    labelled_frame,
    open_published,
    place_of,
)
from ferclean.datasets.published.boxes import read_boxes
from ferclean.datasets.published.noise_lists import replace_labels
from ferclean.errors import FercleanError
from ferclean.progress import say, track

# Archives unpacked side by side or into each other: each place is met in public code.
_PICTURES = "|".join(
    f"{folder}Manually_Annotated_Images"
    for folder in ("", "Manually_Annotated/", "Manually_Annotated_compressed/")
)
# There is no published test set: papers report on the validation set, so nothing is chosen on it.
_LISTS = {
    split: f"Manually_Annotated_file_lists/{name}|{name}|Manually_Annotated/{name}"
    for split, name in {"train": "training.csv", "test": "validation.csv"}.items()
}
_FOLDERS = {"train": "train_set", "test": "val_set"}
_PATH, _BOX = "subDirectory_filePath", ("face_x", "face_y", "face_width", "face_height")
_COLUMNS = (_PATH, *_BOX, "expression", "valence", "arousal")
_INTENSITIES = {"valence": "val", "arousal": "aro"}

_CLASSES = (
    *("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"),
    *("none", "uncertain", "non-face"),
)
_ORIGIN, _TERMS = (
    "http://mohammadmahoor.com/affectnet/ (on request)",
    "non-commercial research only",
)
_COUNTS = (74874, 134415, 25459, 14090, 6378, 3803, 24882, 3750, 33088, 11645, 82415)
# The smaller release: faces already cut out, of the eight expressions only.
AFFECTNET_ARRAYS = PublishedSet(
    name="affectnet",
    title="AffectNet (arrays)",
    classes=_CLASSES[:8],
    first_number=0,
    needed=tuple(
        f"{folder}/{part}" for folder in _FOLDERS.values() for part in ("images", "annotations")
    ),
    rows={"train": 287651, "test": 3999},
    counts={"train": _COUNTS[:8]},
    origin=_ORIGIN,
    terms=_TERMS,
    variants=("lists", "arrays"),
)
AFFECTNET = dataclasses.replace(
    AFFECTNET_ARRAYS,
    title="AffectNet (lists)",
    classes=_CLASSES,
    needed=(*_LISTS.values(), _PICTURES),
    rows={"train": 414799, "test": 5500},
    counts={"train": _COUNTS, "test": (500,) * 11},
    forms={"arrays": AFFECTNET_ARRAYS},
)


def read_affectnet(settings: DataSettings) -> Source:
    """Read AffectNet's manual annotations, in one of the two layouts of its publishers.

    ``data.variant`` is ``lists`` (``training.csv`` and ``validation.csv`` in
    ``Manually_Annotated_file_lists``, ``Manually_Annotated`` or beside these, and whole photographs
    in ``Manually_Annotated_Images``, out of which the faces are cut) or ``arrays`` (``train_set``
    and ``val_set`` with a picture and three ``.npy`` files a face). The published validation set is
    the split ``test``.

    Whether there are seven or eight expressions is up to ``data.classes``: rows of another one have
    a reason. ``valence`` and ``arousal`` are float32 in -1 to 1, missing where nobody stated them.
    ``data.labels_path`` names a list of noisy training labels.

    Raises
    ------
    FercleanError
        If a file of the layout is missing or a list is none.
    """
    if AFFECTNET.variant_of(settings) == "arrays":
        return _read_arrays(settings)
    return _read_lists(settings)


def _read_lists(settings: DataSettings) -> Source:
    root = open_published(AFFECTNET, settings)
    lists = {split: place_of(root, name) for split, name in _LISTS.items()}
    found = pd.concat(
        [_read_list(root / name).assign(split=split) for split, name in lists.items()],
        ignore_index=True,
    )
    frame = labelled_frame(
        f"{place_of(root, _PICTURES)}/" + found[_PATH].str.strip(),
        AFFECTNET.classes_of(found["expression"]),
        found["split"].astype(object),
        settings,
        **{name: _intensity(found[name]) for name in _INTENSITIES},
    )
    frame = replace_labels(frame, AFFECTNET, settings)
    left, top, width, height = (pd.to_numeric(found[name], errors="coerce") for name in _BOX)
    boxes = pd.DataFrame({"left": left, "top": top, "right": left + width, "bottom": top + height})
    pictures = read_boxes(root, frame, boxes, max_pixels=settings.max_pixels)
    return Source(AFFECTNET.name, frame, pictures)


def _read_list(path: Path) -> pd.DataFrame:
    found = pd.DataFrame(list(read_csv_rows(path, _COLUMNS)), columns=_COLUMNS, dtype=object)
    if found.empty:
        raise FercleanError(f"{path} is empty")
    return found


def _read_arrays(settings: DataSettings) -> Source:
    root = open_published(AFFECTNET_ARRAYS, settings)
    found = pd.concat(
        [
            _list_faces(root / folder, folder).assign(split=split)
            for split, folder in _FOLDERS.items()
        ],
        ignore_index=True,
    )
    numbers, reasons = _read_numbers(root, found["annotation"], "exp")
    frame = labelled_frame(
        found["path"],
        AFFECTNET_ARRAYS.classes_of(numbers),
        found["split"].astype(object),
        settings,
        **_read_intensities(root, found["annotation"]),
    )
    frame = _replace_training_labels(frame, settings)
    frame = frame.assign(reason=first_reason(reasons, frame["reason"]))
    pictures = read_each(root, frame, max_pixels=settings.max_pixels)
    return Source(AFFECTNET_ARRAYS.name, frame, pictures)


def _list_faces(root: Path, folder: str) -> pd.DataFrame:
    """Return ``path`` and ``annotation`` (without its ending) of every face of a split.

    A face whose picture is missing is a row, too, so that it is seen in the quarantine table.
    """
    pictures = _list_names(root / "images")
    stems = pictures.str.replace(r"\.[^./]*$", "", regex=True)
    labels = _list_names(root / "annotations")
    labelled = labels[labels.str.endswith("_exp.npy")].str.removesuffix("_exp.npy")
    alone = labelled[~labelled.isin(stems)]
    names = pd.concat([pictures, alone + ".jpg"], ignore_index=True)
    if names.empty:
        raise FercleanError(f"{root} is empty: it holds no pictures and no annotations")
    return pd.DataFrame(
        {
            "path": f"{folder}/images/" + names,
            "annotation": f"{folder}/annotations/" + pd.concat([stems, alone], ignore_index=True),
        },
        dtype=object,
    )


def _list_names(folder: Path) -> pd.Series:
    return pd.Series([printable_name(name) for name in list_files(folder)], dtype=object)


def _read_intensities(root: Path, annotations: pd.Series) -> dict[str, pd.Series]:
    found = {}
    for name, ending in _INTENSITIES.items():
        numbers, reasons = _read_numbers(root, annotations, ending)
        found[name] = _intensity(numbers)
        # The label can be used without it, so this is no reason to refuse the row.
        if reasons.notna().any():
            say(
                f"{root}: {name} of {int(reasons.notna().sum())} pictures is missing, for example "
                f"{reasons.dropna().iloc[0]}"
            )
    return found


def _read_numbers(root: Path, annotations: pd.Series, ending: str) -> tuple[pd.Series, pd.Series]:
    """Read one number a row as text; also why there is none."""
    numbers: list[str | None] = []
    reasons: list[str | None] = []
    for annotation in track(annotations, f"read _{ending}.npy", len(annotations)):
        name = f"{annotation}_{ending}.npy"
        try:
            # Files of one number: the bound on their size is the smallest that there is.
            numbers.append(_number(read_inside(root, name, max_pixels=1)))
            reasons.append(None)
        except PictureError as error:
            numbers.append(None)
            reasons.append(f"unreadable annotation: {name}: {error.reason}")
    index = annotations.index
    return pd.Series(numbers, index, dtype=object), pd.Series(reasons, index, dtype=object)


def _number(data: bytes) -> str:
    """Return the only value of a ``.npy`` file, a number or a text, as text.

    Raises
    ------
    PictureError
        If the file is none, is pickled, or holds more or less than one value.
    """
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    # As with pictures, a broken file makes the parser raise nearly anything.
    except Exception:
        raise PictureError("not an .npy file of plain numbers") from None
    if not isinstance(array, np.ndarray) or array.size != 1:
        raise PictureError("not one number")
    value = array.item()
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _intensity(values: pd.Series) -> pd.Series:
    """Return valence or arousal as float32; -2 is the publishers' word for not annotated."""
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    return numbers.where(numbers.between(-1, 1)).astype(np.float32)


def _replace_training_labels(frame: pd.DataFrame, settings: DataSettings) -> pd.DataFrame:
    """Replace labels of the training rows, without a look at the test rows.

    Both folders number their pictures from 0: a list's ``3.jpg`` is that of ``train_set``.
    """
    if settings.labels_path is None:
        return frame
    training = frame["split"].eq("train")
    replaced = replace_labels(frame[training], AFFECTNET_ARRAYS, settings)
    others = frame[~training]
    return pd.concat([replaced, others.assign(true=others["given"])])
