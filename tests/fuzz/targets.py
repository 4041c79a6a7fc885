"""What is fuzzed: every parser of files that others write, and what must hold of its result.

A target gets bytes, lays them where the parser expects its file and calls it. It may end with an
error for the user, or with a result of which everything adds up; anything else is a finding.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ferclean.config.load import build_settings, load_settings
from ferclean.config.sections import SECTIONS
from ferclean.datasets.pictures import PictureError, decode_picture
from ferclean.datasets.published.label_arrays import read_label_arrays
from ferclean.datasets.published.pickles import load_pickle, load_torch
from ferclean.datasets.registry import read_source
from ferclean.errors import FercleanError
from ferclean.semantics.word2vec_file import file_vectors
from ferclean.tables.audit_inputs import read_given_labels, read_probabilities
from ferclean.tables.face_packs import read_face_pack
from ferclean.tables.labels import SPLITS, read_label_table
from ferclean.tables.partitions import read_partition
from fuzz import seeds

MAX_PIXELS = 10_000
CLASSES = ("happy", "sad")
_PLAIN = (str, bytes, int, float, bool, type(None), list, dict, tuple, set, frozenset, np.ndarray)


@dataclass(frozen=True)
class Target:
    """One parser under fuzzing.

    Attributes
    ----------
    run : callable
        Called with the bytes and a folder of its own; raises for a finding.
    seeds : callable
        Good and nearly good inputs from which the search starts.
    runs : int
        How many inputs are tried.
    longest : int
        Bytes of the longest one.
    """

    run: Callable[[bytes, Path], None]
    seeds: Callable[[], list[bytes]]
    runs: int
    longest: int = 2048


def check_rows(folder: Path, rows: int | None, **data: object) -> None:
    """Read a data set: as many rows as its file has, each with its picture or a reason."""
    settings = build_settings({"data": {"max_pixels": MAX_PIXELS} | data}, ["data"]).data
    source = read_source(settings)
    frame = source.frame
    assert rows is None or len(frame) == rows, (len(frame), rows)
    pictures = [row for row, _ in source.pictures]
    assert len(set(pictures)) == len(pictures)
    usable = frame["reason"].isna()
    assert set(np.flatnonzero(usable)) <= set(pictures)
    assert frame.loc[usable, "given"].isin(settings.classes).all()
    assert frame.loc[usable, "split"].isin(SPLITS).all()
    assert frame["sample_id"].map(lambda name: isinstance(name, str)).all()


def picture(data: bytes, folder: Path) -> None:
    """Decode a picture."""
    try:
        pixels = decode_picture(data, max_pixels=MAX_PIXELS)
    except PictureError as error:
        assert error.reason and "\n" not in error.reason
        return
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    assert 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS


def table(data: bytes, folder: Path) -> None:
    """Read a CSV of paths and labels."""
    (folder / "t.csv").write_bytes(data)
    check_rows(folder, None, source="table", path=str(folder / "t.csv"))
    # Only a file that was read comes here, so this counts what was there to read.
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    rows = sum(bool(row) for row in csv.reader(text, skipinitialspace=True)) - 1
    check_rows(folder, rows, source="table", path=str(folder / "t.csv"))


def fer2013(data: bytes, folder: Path) -> None:
    """Read FER2013's csv."""
    (folder / "f.csv").write_bytes(data)
    check_rows(folder, None, source="fer2013_csv", path=str(folder / "f.csv"))


_LISTS = {
    0: ("rafdb", "EmoLabel/list_patition_label.txt", "Image/aligned"),
    1: ("expw", "label/label.lst", "image/origin"),
    2: ("hf_imagefolder", "metadata.jsonl", "pictures"),
    3: ("hf_imagefolder", "metadata.csv", "pictures"),
}


def published_list(data: bytes, folder: Path) -> None:
    """Read a published set's list; the first byte says which set's."""
    number = data[0] % len(_LISTS) if data else 0
    source, name, pictures = _LISTS[number]
    root = folder / str(number)
    (root / pictures).mkdir(parents=True, exist_ok=True)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(data[1:])
    lines = None
    if not name.endswith(".csv"):
        text = data[1:].decode("utf-8-sig", "replace")
        lines = sum(bool(line.strip()) for line in io.StringIO(text, newline=None))
    check_rows(root, lines, source=source, path=str(root))


def settings_file(data: bytes, folder: Path) -> None:
    """Read params.yaml."""
    (folder / "params.yaml").write_bytes(data)
    settings = load_settings(folder / "params.yaml")
    for name in SECTIONS:
        assert getattr(settings, name) is not None


def unpickled(data: bytes, folder: Path) -> None:
    """Unpickle a table of numbers, as CIFAR's batches and CIFAR-N's labels are."""
    for load in (load_pickle, load_torch):
        try:
            found = load(data, folder / "x", origin="https://example.org")
        except FercleanError as error:
            assert len(str(error)) < 1000
            continue
        for name, value in found.items():
            assert isinstance(name, str) and isinstance(value, _PLAIN), type(value)


def label_arrays(data: bytes, folder: Path) -> None:
    """Read named label arrays; the first byte says of which kind the file is."""
    suffix = (".npz", ".npy", ".pt")[data[0] % 3 if data else 0]
    path = folder / f"h{suffix}"
    path.write_bytes(data[1:])
    found = read_label_arrays(path, ("clean_label",), rows=3, origin="https://example.org")
    assert found["clean_label"].shape == (3,) and found["clean_label"].dtype.kind in "iu"


def words(data: bytes, folder: Path) -> None:
    """Look words up in a word2vec file."""
    (folder / "words").write_bytes(data)
    found = file_vectors(folder / "words", {"happy": "happy", "sad": "sad"})
    assert found.shape[0] == 2 and np.isfinite(found).all() and found.any(axis=1).all()


def audit_inputs(data: bytes, folder: Path) -> None:
    """Read labels and probabilities; the first byte says of which kind the file is."""
    suffix = (".csv", ".tsv", ".npy", ".parquet")[data[0] % 4 if data else 0]
    path = folder / f"x{suffix}"
    path.write_bytes(data[1:])
    for read in (read_given_labels, read_probabilities):
        try:
            found = read(path)
        except FercleanError:
            continue
        ids = found.sample_id
        rows = len(found.labels) if read is read_given_labels else found.members.shape[1]
        assert ids is None or (len(ids) == rows and len(set(ids.tolist())) == rows)


def faces(data: bytes, folder: Path) -> None:
    """Read every face of a pack."""
    (folder / "faces.pack").write_bytes(data)
    pack = read_face_pack(folder / "faces.pack")
    assert len(pack.shape) == 4
    for row in range(min(len(pack), 10)):
        face = pack[row]
        assert face.shape == tuple(pack.shape[1:]) and face.dtype == np.uint8


def step_tables(data: bytes, folder: Path) -> None:
    """Read a label table and a partition of earlier steps."""
    path = folder / "x.parquet"
    path.write_bytes(data)
    for read in (read_label_table, lambda file: read_partition(file, CLASSES)):
        try:
            found = read(path)
        except FercleanError:
            continue
        if read is read_label_table:
            assert found.frame["sample_id"].is_unique and found.in_split(*SPLITS).all()
        else:
            assert found.probabilities.shape[1:] == (found.score.shape[1], len(CLASSES))


TARGETS: dict[str, Target] = {
    "picture": Target(picture, seeds.pictures, 8000),
    "table": Target(table, seeds.tables, 1000, 512),
    "fer2013": Target(fer2013, seeds.fer2013, 1000, 10_000),
    "published_list": Target(published_list, seeds.published_lists, 1000, 512),
    "settings_file": Target(settings_file, seeds.settings_files, 2500, 512),
    "unpickled": Target(unpickled, seeds.pickles, 8000),
    "label_arrays": Target(label_arrays, seeds.label_arrays, 4000),
    "words": Target(words, seeds.words, 8000),
    "audit_inputs": Target(audit_inputs, seeds.audit_inputs, 1500, 4096),
    "faces": Target(faces, seeds.faces, 6000, 4096),
    "step_tables": Target(step_tables, seeds.step_tables, 2000, 8192),
}
