"""What is known of a published data set, and how its lists become rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import first_reason, resolve_labels
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.files import resolved_folder
from ferclean.errors import FercleanError, unknown_name
from ferclean.progress import say
from ferclean.tables.inputs import require_no_device

_NUMBER = re.compile(r"(\d{1,9})(\.0*)?")  # "3", or "3.0" as a float column writes it
_SHOWN = 60


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
        ``data.variant``.
    rows : mapping of str to int
        Rows of each split, as published.
    counts : mapping of str to tuple of int
        Of them each class's, where these are published.
    origin : str
        Where to get it.
    terms : str
        Under which terms.
    variants : tuple of str
        What ``data.variant`` may be; the first is taken where it is not said.
    part : str
        Folder that may stand between ``data.path`` and the files.
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
        If one of its files is not there.
    """
    root = published_folder(facts, settings)
    variant = facts.variant_of(settings)
    for name in (name.format(variant=variant) for name in facts.needed):
        if not (root / name).exists():
            raise FercleanError(
                f"data.path {root} does not hold {facts.title} as it is published: {name} is "
                f"missing; get it from {facts.origin}"
            )
    return root


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


def replace_labels(
    frame: pd.DataFrame, facts: PublishedSet, settings: DataSettings
) -> pd.DataFrame:
    """Let training rows take their labels from a list of noisy ones (``data.labels_path``).

    The data set's own labels become the truth, which evaluation alone reads. Labels of other splits
    stay as they are, whatever the list says of them; that is reported.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of :func:`labelled_frame`.
    facts : PublishedSet
        What the list's numbers mean.
    settings : DataSettings
        Names the list: a name and a number a line, as SCN, EAC and ReSup publish them.

    Raises
    ------
    FercleanError
        If the list cannot be read, names a picture twice, or lacks one of the training rows.
    """
    if settings.labels_path is None:
        return frame
    path = Path(settings.labels_path)
    found = read_name_and_number(path)
    stems = found["name"].map(_stem)
    if stems.duplicated().any():
        twice = stems[stems.duplicated()].iloc[0]
        raise FercleanError(f"{path} names the picture {twice!r} twice")
    words = pd.Series(facts.classes_of(found["number"]).to_numpy(), index=stems)
    listed = frame["path"].map(_stem)
    # A list is of the rows that its authors trained on: others keep the reason that they have.
    training = frame["split"].eq("train") & frame["reason"].isna()
    lacking = training & ~listed.isin(words.index)
    if lacking.any():
        raise FercleanError(
            f"{path} has no label for {int(lacking.sum())} of {int(training.sum())} training "
            f"pictures, for example {frame.loc[lacking, 'path'].iloc[0]}"
        )
    labels, reasons = resolve_labels(
        listed.map(words).where(training, frame["given"]), label_lookup(settings.classes)
    )
    held_out = frame["split"].ne("train") & frame["reason"].isna()
    wrong, _ = resolve_labels(listed[held_out].map(words), label_lookup(settings.classes))
    changed = int((wrong.notna() & wrong.ne(frame.loc[held_out, "given"])).sum())
    if changed:
        say(f"{path}: {changed} labels of test pictures differ there; the data set's own are kept")
    reason = frame["reason"].where(~training, first_reason(reasons))
    return frame.assign(true=frame["given"], given=labels, reason=reason)


def _stem(name: str) -> str:
    """Return what two lists of the same pictures agree on: no folder, suffix or ``_aligned``."""
    return PurePosixPath(name).stem.removesuffix("_aligned")


def refuse_labels_path(settings: DataSettings) -> None:
    """Refuse ``data.labels_path`` for a set whose pictures' names do not tell them apart.

    Raises
    ------
    FercleanError
        If the settings name such a list.
    """
    if settings.labels_path is not None:
        raise FercleanError(
            f"data.labels_path {settings.labels_path} is not read by data.source "
            f"{settings.source}: leave the key out"
        )
