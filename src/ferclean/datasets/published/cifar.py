"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), with the human labels of CIFAR-N (Wei et al. 2022)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, resolve_labels
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import read_inside
from ferclean.datasets.pictures import PictureError
from ferclean.datasets.published.base import PublishedSet, labelled_frame, open_published
from ferclean.datasets.published.label_arrays import read_label_arrays
from ferclean.datasets.published.pickles import load_pickle
from ferclean.errors import FercleanError

_SIZE = 32
_PIXELS = 3 * _SIZE * _SIZE  # red, green and blue, each row by row
_LARGEST_BATCH = 2**28  # CIFAR-100's 50,000 training pictures have 155 MB
_TOO_LARGE = 2**63  # for any array; a smaller wrong number only spoils its own row
_BYTES_PER_PIXEL = 8  # by which read_inside bounds a file
_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar.html"
_HUMAN_ORIGIN = "http://www.noisylabels.com"
_CLEAN = "clean_label"
_TERMS = (
    "no licence stated, Krizhevsky 2009 is to be cited; human labels (CIFAR-N, "
    f"{_HUMAN_ORIGIN}) CC BY-NC 4.0"
)


@dataclass(frozen=True)
class _Form:
    """One of the forms in which a set is published.

    Attributes
    ----------
    folder : str
        Folder of the archive.
    train, test : tuple of str
        Its files, in the order of the rows.
    labels : str
        Name of the labels in a pickle.
    label_bytes : int
        Label bytes before each picture of a binary file, of which the last is the label; 0 for
        pickles.
    """

    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: str = ""
    label_bytes: int = 0

    def files(self) -> list[tuple[str, str]]:
        """Return split and name of each file, in the order of the rows."""
        return [("train", name) for name in self.train] + [("test", name) for name in self.test]


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
# The first that is there is read.
_FORMS = {
    "cifar10": (
        _Form("cifar-10-batches-py", _BATCHES, ("test_batch",), labels="labels"),
        _Form(
            "cifar-10-batches-bin",
            tuple(f"{name}.bin" for name in _BATCHES),
            ("test_batch.bin",),
            label_bytes=1,
        ),
    ),
    "cifar100": (
        _Form("cifar-100-python", ("train",), ("test",), labels="fine_labels"),
        _Form("cifar-100-binary", ("train.bin",), ("test.bin",), label_bytes=2),
    ),
}


def _facts(name: str, title: str, classes: str, variants: tuple[str, ...]) -> PublishedSet:
    names, form = tuple(classes.split()), _FORMS[name][0]
    return PublishedSet(
        name=name,
        title=title,
        classes=names,
        first_number=0,
        needed=(*form.train, *form.test),
        rows={"train": 50000, "test": 10000},
        counts={
            "train": (50000 // len(names),) * len(names),
            "test": (10000 // len(names),) * len(names),
        },
        origin=_ORIGIN,
        terms=_TERMS,
        variants=variants,
        part=form.folder,
    )


CIFAR10 = _facts(
    "cifar10",
    "CIFAR-10",
    "airplane automobile bird cat deer dog frog horse ship truck",
    ("worse_label", "aggre_label", "random_label1", "random_label2", "random_label3"),
)
CIFAR100 = _facts(
    "cifar100",
    "CIFAR-100",
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
    bowl boy bridge bus butterfly camel can castle caterpillar cattle
    chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
    lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
    mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket
    rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """,
    ("noisy_label",),
)


def read_cifar10(settings: DataSettings) -> Source:
    """Read CIFAR-10: ``cifar-10-batches-py``, or else ``cifar-10-batches-bin``.

    ``data.path`` is that folder or the one that holds it. ``data.labels_path`` names
    ``CIFAR-10_human.pt``, whose labels ``data.variant`` training then sees; the set's own are the
    truth.

    Raises
    ------
    FercleanError
        If a file is missing or not as published, or the human labels belong to another order.
    """
    return _read(CIFAR10, settings)


def read_cifar100(settings: DataSettings) -> Source:
    """Read CIFAR-100's fine labels: ``cifar-100-python``, or else ``cifar-100-binary``.

    Settings and errors are those of :func:`read_cifar10`; the human labels are
    ``CIFAR-100_human.pt``.
    """
    return _read(CIFAR100, settings)


def _read(facts: PublishedSet, settings: DataSettings) -> Source:
    if settings.variant is not None and settings.labels_path is None:
        raise FercleanError(
            f"data.variant of {facts.title} says which human labels are read: name their file in "
            f"data.labels_path (from {_HUMAN_ORIGIN}), or leave data.variant out"
        )
    root, form = _open(facts, settings)
    rows = pd.concat(
        [
            pd.DataFrame({"split": split, "file": name, "number": _read_batch(root, form, name)[0]})
            for split, name in form.files()
        ],
        ignore_index=True,
    )
    places = rows.groupby("file", sort=False).cumcount().astype(str)
    frame = labelled_frame(
        form.folder + "/" + rows["file"] + "#" + places,
        facts.classes_of(rows["number"]),
        rows["split"].astype(object),
        settings,
    )
    in_split = rows.groupby("split", sort=False).cumcount().astype(str).str.zfill(5)
    frame = frame.assign(sample_id=f"{facts.name}-" + rows["split"] + "-" + in_split)
    frame = _with_human_labels(frame, rows["number"], facts, settings)
    return Source(facts.name, frame, _pictures(root, form))


def _open(facts: PublishedSet, settings: DataSettings) -> tuple[Path, _Form]:
    """Return the folder, links resolved, and the form of its files."""
    path = Path(settings.path or "")
    forms = _FORMS[facts.name]
    there = [form for form in forms if (path / form.folder).is_dir()]
    there += [form for form in forms if (path / form.train[0]).exists()]
    form = there[0] if there else forms[0]
    if not there:
        raise FercleanError(
            f"data.path {path} does not hold {facts.title} as it is published: neither "
            f"{' nor '.join(form.folder for form in forms)} is there; get it from {facts.origin}"
        )
    needed = replace(facts, part=form.folder, needed=(*form.train, *form.test))
    return open_published(needed, settings), form


def _read_batch(root: Path, form: _Form, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of a file, ``(N,)`` int64, and its pictures, ``(N, 3072)`` uint8."""
    path = root / name
    try:
        data = read_inside(root, name, max_pixels=_LARGEST_BATCH // _BYTES_PER_PIXEL)
    except PictureError as error:
        raise FercleanError(f"{path}: {error.reason}; get the file from {_ORIGIN}") from None
    if form.label_bytes:
        return _from_binary(data, path, form.label_bytes)
    return _from_pickle(data, path, form.labels)


def _from_binary(data: bytes, path: Path, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    record = label_bytes + _PIXELS
    if not data or len(data) % record:
        raise FercleanError(
            f"{path} has {len(data)} bytes, which are no whole pictures of {record} bytes: it is "
            f"incomplete; get it from {_ORIGIN}"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, record)
    return records[:, label_bytes - 1].astype(np.int64), records[:, label_bytes:]


def _from_pickle(data: bytes, path: Path, labels: str) -> tuple[np.ndarray, np.ndarray]:
    table = load_pickle(data, path, origin=_ORIGIN)
    pictures, numbers = table.get("data"), table.get(labels)
    if (
        not isinstance(pictures, np.ndarray)
        or pictures.dtype != np.uint8
        or pictures.ndim != 2
        or pictures.shape[1] != _PIXELS
        or not len(pictures)
    ):
        raise FercleanError(
            f"{path}: 'data' must be an array of 8-bit pictures, {_PIXELS} values each; get the "
            f"file from {_ORIGIN}"
        )
    if not isinstance(numbers, list) or not all(
        type(number) is int and abs(number) < _TOO_LARGE for number in numbers
    ):
        raise FercleanError(
            f"{path}: {labels!r} must be a list of class numbers; get the file from {_ORIGIN}"
        )
    if len(numbers) != len(pictures):
        raise FercleanError(
            f"{path} has {len(pictures)} pictures but {len(numbers)} labels; get the file from "
            f"{_ORIGIN}"
        )
    return np.array(numbers, dtype=np.int64), pictures


def _pictures(root: Path, form: _Form) -> Iterator[tuple[int, bytes | PictureError]]:
    # Files are read a second time here: else all pictures would lie in memory until the last.
    row = 0
    for _, name in form.files():
        for values in _read_batch(root, form, name)[1]:
            pixels = values.reshape(3, _SIZE, _SIZE).transpose(1, 2, 0)
            stream = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG")
            yield row, stream.getvalue()
            row += 1


def _with_human_labels(
    frame: pd.DataFrame, numbers: pd.Series, facts: PublishedSet, settings: DataSettings
) -> pd.DataFrame:
    """Let training rows take the labels that people gave; the set's own become the truth."""
    if settings.labels_path is None:
        return frame
    path, variant = Path(settings.labels_path), facts.variant_of(settings)
    training = frame["split"].eq("train")
    own = numbers[training].to_numpy()
    arrays = read_label_arrays(path, (_CLEAN, variant), rows=len(own), origin=_HUMAN_ORIGIN)
    other = np.flatnonzero(arrays[_CLEAN] != own)
    if len(other):
        raise FercleanError(
            f"{path} belongs to another order of the pictures: {_CLEAN!r} differs from "
            f"{facts.title}'s own labels in {len(other)} of {len(own)} rows, first in row "
            f"{other[0]}; take the .pt file of {_HUMAN_ORIGIN}"
        )
    words = facts.classes_of(pd.Series(arrays[variant], index=frame.index[training]))
    labels, reasons = resolve_labels(words, label_lookup(settings.classes))
    return frame.assign(
        true=frame["given"],
        given=frame["given"].where(~training, labels),
        reason=frame["reason"].where(~training, reasons),
    )
