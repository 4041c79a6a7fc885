"""The files of each format: what stands in them, and where pictures go."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd

from ferclean.errors import unknown_name
from ferclean.export.names import distinct_names
from ferclean.export.rows import RepairedRows
from ferclean.tables.atomic import csv_text

# Where Label Studio serves files of its own disk.
_LOCAL_FILES = "data/local-files"
# How Hugging Face datasets calls the splits of a folder.
_HUGGING_FACE_SPLITS = {"train": "train", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Layout:
    """A folder that is to be written.

    Attributes
    ----------
    files : dict of str to bytes
        Relative path to content.
    pictures : dict of str to int
        Relative path to the row whose picture stands there.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)


# Given rows and a safe and distinct file name for each one's picture.
Arrange = Callable[[RepairedRows, Sequence[str]], Layout]


@dataclass(frozen=True)
class Format:
    """One registered format.

    Attributes
    ----------
    arrange : callable
    help_text : str
        What it is for, in a few words.
    pictures : bool
        Whether it holds the pictures.
    with_dropped : bool
        Whether rows stand in it that are not to be trained with.
    """

    arrange: Arrange
    help_text: str
    pictures: bool = True
    with_dropped: bool = True


def format_of(name: str) -> Format:
    """Return a format by its name.

    Raises
    ------
    FercleanError
        If there is none of this name; the message lists the known ones.
    """
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    return FORMATS[name]


def _csv_layout(rows: RepairedRows, names: Sequence[str]) -> Layout:
    return Layout({"labels.csv": _csv(rows.table())})


def _cleanlab_layout(rows: RepairedRows, names: Sequence[str]) -> Layout:
    """Write what ``CleanLearning.get_label_issues`` returns, and what cleanlab's filters take."""
    rows = rows.take(rows.judged)
    issues = pd.DataFrame(
        {
            "sample_id": rows.frame["sample_id"],
            "is_label_issue": rows.codes("label") != rows.codes("given_label"),
            "label_quality": rows.frame["label_quality"],
            "given_label": rows.codes("given_label"),
            "predicted_label": rows.probabilities.argmax(axis=1),
        }
    )
    issues["is_label_issue"] |= rows.dropped
    return Layout(
        {
            "label_issues.csv": _csv(issues),
            "labels.npy": _npy(rows.codes("given_label")),
            "pred_probs.npy": _npy(rows.probabilities),
            "classes.json": _json(list(rows.classes)),
        }
    )


def _image_folder_layout(rows: RepairedRows, names: Sequence[str]) -> Layout:
    """Arrange ``<split>/<class>/<picture>``."""
    folders = dict(zip(rows.classes, distinct_names(rows.classes), strict=True))
    places = zip(rows.frame["split"], rows.frame["label"], names, strict=True)
    return Layout(
        pictures={
            f"{split}/{folders[label]}/{name}": row
            for row, (split, label, name) in enumerate(places)
        }
    )


def _hugging_face_layout(rows: RepairedRows, names: Sequence[str]) -> Layout:
    """Arrange ``<split>/<picture>`` with a ``metadata.csv`` beside the pictures of each split."""
    layout = Layout()
    table = rows.table()
    table.insert(0, "file_name", list(names))
    for split, folder in _HUGGING_FACE_SPLITS.items():
        inside = rows.frame["split"] == split
        if inside.any():
            layout.files[f"{folder}/metadata.csv"] = _csv(table[inside])
        layout.pictures.update(
            {f"{folder}/{names[row]}": row for row in np.flatnonzero(inside).tolist()}
        )
    return layout


def _fiftyone_layout(rows: RepairedRows, names: Sequence[str]) -> Layout:
    """Arrange a ``FiftyOneImageClassificationDataset``: ``data/`` and ``labels.json``."""
    codes = rows.codes("label")
    labels = {}
    for row, (name, entry) in enumerate(zip(names, _records(rows.frame), strict=True)):
        chances = rows.probabilities[row]
        labels[name.rpartition(".")[0]] = {
            "label": int(codes[row]),
            "confidence": None if np.isnan(chances).any() else float(chances[codes[row]]),
            "attributes": {key: value for key, value in entry.items() if key != "label"},
        }
    content = {"classes": list(rows.classes), "labels": labels}
    pictures = {f"data/{name}": row for row, name in enumerate(names)}
    return Layout({"labels.json": _json(content)}, pictures)


def _label_studio_layout(rows: RepairedRows, names: Sequence[str]) -> Layout:
    """Write tasks with the repaired labels as predictions, and the interface they belong to.

    Pictures are addressed as Label Studio's local files, relative to its document root.
    """
    codes = rows.codes("label")
    tasks = []
    for row, (name, entry) in enumerate(zip(names, _records(rows.frame), strict=True)):
        image = f"/{_LOCAL_FILES}/?d=pictures/{quote(name)}"
        task: dict[str, Any] = {"data": {"image": image, **entry}, "predictions": []}
        if rows.judged[row]:
            score = float(rows.probabilities[row, codes[row]])
            task["predictions"].append(_label_studio_prediction(entry["label"], score))
        tasks.append(task)
    pictures = {f"pictures/{name}": row for row, name in enumerate(names)}
    return Layout({"tasks.json": _json(tasks), "config.xml": _interface(rows.classes)}, pictures)


def _label_studio_prediction(label: str, score: float) -> dict[str, Any]:
    choice = {
        "from_name": "expression",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [label]},
        "score": score,
    }
    return {"model_version": "ferclean", "score": score, "result": [choice]}


def _interface(classes: Sequence[str]) -> bytes:
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in classes)
    return (
        "<View>\n"
        '  <Image name="image" value="$image"/>\n'
        '  <Text name="given" value="Given label: $given_label"/>\n'
        '  <Choices name="expression" toName="image" choice="single" showInLine="true">\n'
        f"{choices}\n"
        "  </Choices>\n"
        "</View>\n"
    ).encode()


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values, ``None`` where missing."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(plain.columns, row, strict=True)) for row in plain.itertuples(index=False)]


def _csv(frame: pd.DataFrame) -> bytes:
    return csv_text(frame, float_format="%.6g").encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    return stream.getvalue()


FORMATS: dict[str, Format] = {
    "csv": Format(_csv_layout, "one table", pictures=False),
    "cleanlab": Format(_cleanlab_layout, "cleanlab's columns and arrays", pictures=False),
    "imagefolder": Format(_image_folder_layout, "folders of classes", with_dropped=False),
    "huggingface": Format(_hugging_face_layout, "imagefolder with metadata", with_dropped=False),
    "fiftyone": Format(_fiftyone_layout, "FiftyOneImageClassificationDataset"),
    "labelstudio": Format(_label_studio_layout, "tasks with predictions"),
}
