"""Section ``data``: which pictures and labels are read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ferclean.config.fields import setting
from ferclean.errors import FercleanError

# What the columns of a table mean, where it has them.
TABLE_COLUMNS = ("path", "label", "split", "sample_id", "true", "identity")
TABLE_SEPARATORS = {".csv": ",", ".tsv": "\t"}
# Sources in the layout of their publishers; only these read data.variant and data.labels_path.
PUBLISHED_SOURCES = (
    *("rafdb", "rafdb_compound", "affectnet", "ferplus", "expw", "cifar10", "cifar100"),
    *("animal10n", "webvision_mini", "clothing1m", "food101n", "hf_imagefolder"),
)
CANONICAL_CLASSES = ("surprised", "fear", "disgusted", "happy", "sad", "angry", "neutral")


@dataclass(frozen=True)
class RenderedSettings:
    """The embedded default: faces drawn by the program itself."""

    pictures: int = setting(2400, "Pictures to draw over all splits.", minimum=40)
    image_size: int = setting(160, "Height and width in pixels.", minimum=64, maximum=512)
    compound_fraction: float = setting(
        0.15, "Share of pictures that mix two expressions.", minimum=0, maximum=1
    )
    seed: int = setting(0, "Seed of identities, expressions, light and noise.", minimum=0)


@dataclass(frozen=True)
class DataSettings:
    """Where samples come from and what ingestion does with them."""

    source: Literal[
        "rendered",
        "fer2013_csv",
        "fer2013_parquet",
        "image_folder",
        "table",
        "rafdb",
        "rafdb_compound",
        "affectnet",
        "ferplus",
        "expw",
        "cifar10",
        "cifar100",
        "animal10n",
        "webvision_mini",
        "clothing1m",
        "food101n",
        "hf_imagefolder",
    ] = setting("rendered", "Reader to use.")
    path: str | None = setting(None, "File or folder of the data set; unused for rendered faces.")
    votes_path: str | None = setting(None, "FER+ votes file (fer2013new.csv) for fer2013_csv.")
    variant: str | None = setting(
        None, "Which pictures of a published set, where it has several; its first where not named."
    )
    labels_path: str | None = setting(
        None,
        "List of noisy training labels for a published set, a picture and a number a line; the "
        "set's own labels are then the truth that evaluation alone reads.",
    )
    labels: Literal["given", "ferplus_winner"] = setting(
        "given", "Whose labels training sees: the data set's own, or the winner of FER+ votes."
    )
    vote_truth: bool = setting(
        True, "Use the FER+ winner as evaluation-only truth when the given labels are trained on."
    )
    classes: tuple[str, ...] = setting(CANONICAL_CLASSES, "Class names in order.")
    validation_fraction: float = setting(
        0.1,
        "Share of training rows held out when the source has no validation split.",
        minimum=0,
        maximum=0.9,
    )
    duplicates: Literal["drop_from_train", "keep"] = setting(
        "drop_from_train",
        "What happens to training pictures that also stand in another split, and to validation "
        "pictures that stand in the test split.",
    )
    near_duplicate_distance: int = setting(
        3,
        "Largest number of differing bits (of 64) of a near duplicate's perceptual hash.",
        minimum=0,
        maximum=3,
    )
    annotators: tuple[str, ...] = setting(
        (),
        "Columns of a table with the labels of single annotators, kept beside the label; where "
        "noise is injected they are left out, for they would give it away.",
    )
    max_pixels: int = setting(
        50_000_000, "Pictures with more pixels are quarantined, never decoded.", above=0
    )
    seed: int = setting(0, "Seed of the validation split.", minimum=0)
    rendered: RenderedSettings = setting(RenderedSettings(), "Settings of the rendered faces.")

    def check(self, where: str) -> None:
        """Check what no single key can tell."""
        names = {name.lower() for name in self.classes}
        if len(names) != len(self.classes) or len(names) < 2:
            raise FercleanError(f"{where}.classes must hold at least two different names")
        if any(name != name.strip() or not name.isprintable() or not name for name in names):
            raise FercleanError(f"{where}.classes must hold plain names, found {self.classes}")
        if self.source != "rendered" and self.path is None:
            raise FercleanError(f"{where}.path is needed when {where}.source is {self.source!r}")
        for key in ("variant", "labels_path"):
            if getattr(self, key) is not None and self.source not in PUBLISHED_SOURCES:
                raise FercleanError(
                    f"{where}.{key} is only read by {where}.source {', '.join(PUBLISHED_SOURCES)}"
                )
        self._check_annotators(where)
        self._check_votes(where)

    def _check_annotators(self, where: str) -> None:
        if self.annotators and self.source != "table":
            raise FercleanError(f"{where}.annotators is only read by {where}.source table")
        taken = (*TABLE_COLUMNS, *self.annotators)
        if len(set(taken)) != len(taken) or not all(name.strip() for name in self.annotators):
            raise FercleanError(
                f"{where}.annotators must name different columns, other than "
                f"{', '.join(TABLE_COLUMNS)}, found {self.annotators}"
            )

    def _check_votes(self, where: str) -> None:
        if self.votes_path is not None and self.source != "fer2013_csv":
            raise FercleanError(f"{where}.votes_path is only read by {where}.source fer2013_csv")
        votes = ("fer2013_parquet", "ferplus")
        has_votes = self.source in votes or self.votes_path is not None
        if self.labels == "ferplus_winner" and not has_votes:
            raise FercleanError(
                f"{where}.labels ferplus_winner needs votes: {where}.source "
                f"{' or '.join(votes)}, or fer2013_csv with {where}.votes_path"
            )


def table_header(path: Path) -> list[str]:
    """Return the names of a table's columns; nothing else of it is read.

    Parameters
    ----------
    path : Path
        Parquet by its suffix, else text with the separator of its suffix, else commas.

    Raises
    ------
    OSError, ValueError, csv.Error
        If the file cannot be read as what its suffix says.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    separator = TABLE_SEPARATORS.get(suffix, ",")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names = next(csv.reader(stream, delimiter=separator, skipinitialspace=True), [])
    return [name.strip() for name in names]
