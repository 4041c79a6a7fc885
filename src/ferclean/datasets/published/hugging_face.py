"""Hugging Face's ``imagefolder`` with a metadata file."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import SPLIT_NAMES, Source, first_reason
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import (
    open_parquet,
    read_csv_rows,
    read_each,
    read_parquet_batches,
)
from ferclean.datasets.published.base import (
    PublishedSet,
    labelled_frame,
    open_published,
    read_lines,
)
from ferclean.datasets.published.noise_lists import refuse_labels_path
from ferclean.errors import FercleanError
from ferclean.tables.inputs import require_columns

_COLUMNS = ("file_name", "label")
_SHOWN = 60
_NUMERIC = re.compile(r"[+-]?\d+(\.\d*)?")

# A layout and no data set: what its numbers mean, data.classes says.
HF_IMAGEFOLDER = PublishedSet(
    name="hf_imagefolder",
    title="a Hugging Face imagefolder",
    classes=(),
    first_number=0,
    needed=(),
    rows={},
    counts={},
    origin="https://huggingface.co/docs/datasets/image_load#imagefolder",
    terms="those on the card of the data set",
)


def read_hf_imagefolder(settings: DataSettings) -> Source:
    """Read pictures that ``metadata.csv``, ``.jsonl`` or ``.parquet`` names with their labels.

    The file lies in ``data.path`` or in each folder of a split (train, validation, test and the
    names that mean the same). Its column ``file_name`` is relative to the file's own folder and
    must not lead out of it; ``label`` is a class name or its number in ``data.classes``, from 0.
    Where one file in ``data.path`` names pictures in folders of splits, these are their splits;
    other rows are training rows.

    Raises
    ------
    FercleanError
        If there is no metadata, more than one file of it for the same pictures, or it cannot be
        read or lacks a column.
    """
    refuse_labels_path(settings)
    root = open_published(HF_IMAGEFOLDER, settings)
    rows = pd.concat([_rows(path, root) for path in _metadata_files(root)], ignore_index=True)
    facts = replace(HF_IMAGEFOLDER, classes=settings.classes)
    words = _classes_of(rows["label"], facts)
    frame = labelled_frame(rows["path"], words, rows["split"], settings)
    frame["reason"] = first_reason(rows["reason"], frame["reason"])
    return Source(root.name, frame, read_each(root, frame, max_pixels=settings.max_pixels))


def _metadata_files(root: Path) -> list[Path]:
    """Return the metadata file of the root, or those of the folders of splits."""
    if not root.is_dir():
        raise FercleanError(f"data.path must be a folder with a metadata file, found {root}")
    folders = [each for each in root.iterdir() if each.is_dir()]
    folders = sorted(each for each in folders if each.name.lower() in SPLIT_NAMES)
    found = {folder: _metadata_file(folder) for folder in (root, *folders)}
    paths = [path for path in found.values() if path is not None]
    if not paths:
        raise FercleanError(
            f"data.path {root} holds no {', '.join(_READERS)}, neither itself nor in a folder of a "
            "split; for folders named after classes set data.source to image_folder"
        )
    if found[root] is not None and len(paths) > 1:
        raise FercleanError(
            f"{paths[0]} and {paths[1]} both name the pictures of a split; remove one of them"
        )
    bare = [folder for folder in folders if found[folder] is None]
    if found[root] is None and bare:
        raise FercleanError(
            f"{bare[0]} holds no {', '.join(_READERS)}, though {paths[0].parent} holds one; write "
            "one for each split"
        )
    return paths


def _metadata_file(folder: Path) -> Path | None:
    found = [folder / name for name in _READERS if (folder / name).is_file()]
    if len(found) > 1:
        raise FercleanError(f"{found[0]} and {found[1].name} are both there; remove one of them")
    return found[0] if found else None


def _rows(path: Path, root: Path) -> pd.DataFrame:
    """Return ``path``, ``split``, ``label`` and ``reason`` of what one metadata file names."""
    found = pd.DataFrame(list(_READERS[path.name](path)), columns=[*_COLUMNS], dtype=object)
    if found.empty:
        raise FercleanError(f"{path} names no picture; write a row for each")
    folder = "" if path.parent == root else path.parent.name + "/"
    names = found["file_name"].map(lambda name: "" if pd.isna(name) else str(name).strip())
    empty, leaving = names.eq(""), names.map(_leaves)
    # What lacks a name has no path; what leads outside keeps its own, for the quarantine table.
    paths = names.where(empty | leaving, folder + names)
    top = (folder + names).str.split("/", n=1)
    split = top.map(lambda parts: SPLIT_NAMES.get(parts[0].lower(), "train") if parts[1:] else None)
    reason = pd.Series(None, index=found.index, dtype=object)
    reason[leaving] = f"file_name leads outside the folder of {path.name}"
    reason[empty] = "missing file_name"
    columns = {"path": paths, "split": split.fillna("train"), "label": found["label"]}
    return pd.DataFrame({**columns, "reason": reason}, dtype=object)


def _leaves(name: str) -> bool:
    return name.startswith("/") or (".." in name and posixpath.normpath(name).startswith(".."))


def _classes_of(labels: pd.Series, facts: PublishedSet) -> pd.Series:
    """Return the class that each label names or numbers; a text that is neither stays."""
    lookup = label_lookup(facts.classes)
    texts = labels.map(lambda label: None if label is None else str(label).strip()).astype(object)
    # A class may itself be named by a number, and then the name counts.
    numeric = {
        text: text.lower() not in lookup and bool(_NUMERIC.fullmatch(text))
        for text in texts.dropna().unique()
    }
    return texts.where(~texts.map(numeric).eq(True), facts.classes_of(texts))


def _csv_rows(path: Path) -> Iterable[tuple[object, ...]]:
    return read_csv_rows(path, _COLUMNS)


def _parquet_rows(path: Path) -> Iterable[tuple[object, ...]]:
    for batch in read_parquet_batches(open_parquet(path, _COLUMNS), path, list(_COLUMNS)):
        yield from zip(*(batch.column(name).to_pylist() for name in _COLUMNS), strict=True)


def _jsonl_rows(path: Path) -> Iterable[tuple[object, ...]]:
    columns: set[str] = set()
    rows = []
    for number, line in read_lines(path):
        row = _json_object(path, number, line)
        columns |= set(row)
        rows.append((row["file_name"], row.get("label")))
    if rows:
        require_columns(path, sorted(columns), _COLUMNS)
    return rows


def _json_object(path: Path, number: int, line: str) -> Mapping[str, Any]:
    """Parse a line; its ``file_name`` is a text that can stand in a table."""
    try:
        row = json.loads(line)
        row["file_name"].encode()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # The many ways of being none: no JSON, no object, no such key, no text, half a surrogate.
        raise FercleanError(
            f"{path}, line {number}: expected a JSON object with a text file_name, found "
            f"{line[:_SHOWN]!r}"
        ) from None
    return row


_READERS: dict[str, Callable[[Path], Iterable[tuple[object, ...]]]] = {
    "metadata.csv": _csv_rows,
    "metadata.jsonl": _jsonl_rows,
    "metadata.parquet": _parquet_rows,
}
