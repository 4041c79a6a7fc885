"""What is known of a published data set, and how its lists become rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import first_reason, resolve_labels
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import resolved_folder
from ferclean.errors import FercleanError, unknown_name
from ferclean.tables.inputs import require_no_device

_NUMBER = re.compile(r"(\d{1,9})(\.0*)?")  # "3", or "3.0" as a float column writes it
_SHOWN = 60
ALL = "all"  # splits together


@dataclass(frozen=True)
class PublishedSet:
    """Facts about a data set, as its publishers state them.

    Attributes
    ----------
    name : str
        Its name in ``data.source``.
    title : str
        Its name in writing.
    classes : tuple of str
        What its numbers mean, in their order.
    first_number : int
        The number of the first class.
    needed : tuple of str
        Files and folders without which it is not the data set; ``{variant}`` stands for
        ``data.variant``. Where one may lie in several places, these are parted by ``|``.
    rows : mapping of str to int
        Rows of each split, as published.
    counts : mapping of str to tuple of int
        Of them each class's, where these are published; of all splits together by :data:`ALL`.
    origin : str
        Where to get it.
    terms : str
        Under which terms.
    variants : tuple of str
        What ``data.variant`` may be; the first is taken where it is not said.
    part : str
        Folder that may stand between ``data.path`` and the files.
    forms : mapping of str to PublishedSet
        What is published of variants that are other than the first.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    first_number: int
    needed: tuple[str, ...]
    rows: Mapping[str, int]
    counts: Mapping[str, tuple[int, ...]]
    origin: str
    terms: str
    variants: tuple[str, ...] = ()
    part: str = ""
    forms: Mapping[str, PublishedSet] = field(default_factory=dict)

    def form_of(self, settings: DataSettings) -> PublishedSet:
        """Return what is published of the variant that is read, see :meth:`variant_of`."""
        return self.forms.get(self.variant_of(settings), self)

    def variant_of(self, settings: DataSettings) -> str:
        """Return which of its variants is read.

        Raises
        ------
        FercleanError
            If the settings name one that there is not.
        """
        if settings.variant is None:
            return self.variants[0] if self.variants else ""
        if settings.variant not in self.variants:
            raise unknown_name("data.variant", settings.variant, self.variants)
        return settings.variant

    def class_of(self, number: object) -> str | None:
        """Return the class of a number as a file writes it.

        A text that is none of its numbers comes back as it is, for the quarantine's reason; a
        missing value as ``None``.
        """
        if number is None or pd.isna(number):  # type: ignore[call-overload]
            return None
        text = str(number).strip()
        match = _NUMBER.fullmatch(text)
        place = int(match[1]) - self.first_number if match else -1
        if 0 <= place < len(self.classes):
            return self.classes[place]
        last = self.first_number + len(self.classes) - 1
        return f"{text} (no number {self.first_number} to {last})" if text else None

    def classes_of(self, numbers: pd.Series) -> pd.Series:
        """Return :meth:`class_of` of every number."""
        known = {number: self.class_of(number) for number in numbers.unique()}
        return numbers.map(known).astype(object)


def published_folder(facts: PublishedSet, settings: DataSettings) -> Path:
    """Return the folder that a data set's paths are relative to, links resolved."""
    root = resolved_folder(settings.path)
    inside = bool(facts.part) and (root / facts.part).is_dir()
    return (root / facts.part).resolve() if inside else root


def open_published(facts: PublishedSet, settings: DataSettings) -> Path:
    """Return the folder that holds a data set's files, links resolved.

    Raises
    ------
    FercleanError
        If one of its files is not there, or the path is that of an archive.
    """
    root, variant = published_folder(facts, settings), facts.variant_of(settings)
    if root.is_file():
        raise FercleanError(
            f"data.path {root} is a file and no folder; unpack it by: ferclean unpack {root} "
            f"--to {root.parent / facts.name}"
        )
    for name in facts.needed:
        place = place_of(root, name.format(variant=variant))
        if not (root / place).exists():
            raise FercleanError(
                f"data.path {root} does not hold {facts.title} as it is published: {place} is "
                f"missing; get it from {facts.origin}"
            )
    return root


def place_of(root: Path, places: str) -> str:
    """Return the first of several places, parted by ``|``, that is there, else the first."""
    names = places.split("|")
    return next((name for name in names if (root / name).exists()), names[0])


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line of a list; blank lines are passed over.

    Raises
    ------
    FercleanError
        If the file cannot be read or is no UTF-8 text.
    """
    require_no_device(path)
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FercleanError(f"{path} is not UTF-8 text") from None


def read_name_and_number(path: Path) -> pd.DataFrame:
    """Read a list with a name and a number in each line, as most publishers write them.

    Returns
    -------
    pandas.DataFrame
        ``name`` and ``number``, texts. A name may hold spaces; the number is the last word.

    Raises
    ------
    FercleanError
        If the file cannot be read, holds nothing, or a line is no pair.
    """
    rows = []
    for number, line in read_lines(path):
        name, separator, last = line.rpartition(" ")
        if not separator or not name.strip():
            raise FercleanError(
                f"{path}, line {number}: expected a name and a number, found {line[:_SHOWN]!r}"
            )
        rows.append((name.strip(), last))
    if not rows:
        raise FercleanError(f"{path} is empty")
    return pd.DataFrame(rows, columns=["name", "number"], dtype=object)


def labelled_frame(
    path: pd.Series, words: pd.Series, split: pd.Series, settings: DataSettings, **more: pd.Series
) -> pd.DataFrame:
    """Return a source's frame from what its lists say.

    Parameters
    ----------
    path : pandas.Series
        Of each picture in ``data.path``; the sample's id, too.
    words : pandas.Series
        Class names as the publisher has them, see :meth:`PublishedSet.classes_of`.
    split : pandas.Series
        train, val or test; ``None`` where the name of the row tells none.
    settings : DataSettings
        The classes that are wanted: a row of another one has a reason.
    **more : pandas.Series
        Further columns.
    """
    given, label_reasons = resolve_labels(words, label_lookup(settings.classes))
    no_split = split.isna().map({True: "unknown split", False: None}).astype(object)
    columns = {"sample_id": path, "path": path, "split": split, "given": given, **more}
    return pd.DataFrame(columns).assign(reason=first_reason(no_split, label_reasons))
