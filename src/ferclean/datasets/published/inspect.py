"""Hold a folder against what its publishers say of the data set; no picture is opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.folders import list_files
from ferclean.datasets.published.base import ALL, PublishedSet, published_folder

_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff"}


@dataclass(frozen=True)
class Finding:
    """One thing that was compared.

    Attributes
    ----------
    status : {"ok", "note", "missing"}
        ``missing`` where the set cannot be read as it is, ``note`` where it differs from the
        published one.
    name : str
        What was compared.
    found : str
        What was found, and what was published where it differs.
    """

    status: Literal["ok", "note", "missing"]
    name: str
    found: str


def inspect_published(
    facts: PublishedSet, frame: pd.DataFrame, settings: DataSettings
) -> Iterator[Finding]:
    """Compare files, rows and classes with the published ones.

    Parameters
    ----------
    facts : PublishedSet
        What is published.
    frame : pandas.DataFrame
        The rows that its reader found.
    settings : DataSettings
        The folder, and the classes that were asked for.

    Yields
    ------
    Finding
    """
    yield from _files(frame, published_folder(facts, settings))
    for split in dict.fromkeys([*facts.rows, *frame["split"].dropna().unique()]):
        yield _rows(frame, split, facts)
    yield from _classes(frame, facts, settings)
    yield from _identities(frame)
    for reason, count in frame["reason"].dropna().str.split(":").str[0].value_counts().items():
        yield Finding("note", f"cannot be used: {reason}", f"{count:,} rows")
    yield Finding("ok", "from", facts.origin)
    yield Finding("ok", "terms", facts.terms)


def _files(frame: pd.DataFrame, root: Path) -> Iterator[Finding]:
    """Compare the pictures that rows name with those that are there."""
    # A row inside a larger file names it before a number sign.
    named = frame["path"].dropna().astype(str).str.split("#").str[0].unique()
    there = {name for name in list_files(root) if Path(name).suffix.lower() in _PICTURES}
    wanted = {name for name in named if Path(name).suffix.lower() in _PICTURES}
    lost, extra = sorted(wanted - there), sorted(there - wanted)
    if lost:
        yield Finding("missing", "pictures", f"{len(lost):,} are not there, such as {lost[0]}")
    elif wanted:  # else they lie in a few larger files, which the reader has opened
        yield Finding("ok", "pictures", f"all {len(wanted):,} are there")
    if extra:
        yield Finding(
            "note", "unexpected", f"{len(extra):,} pictures in no row, such as {extra[0]}"
        )


def _identities(frame: pd.DataFrame) -> Iterator[Finding]:
    """Say whether somebody, or one photograph, stands in several splits."""
    if "identity" not in frame:
        yield Finding("ok", "identities", "not stated; ingest compares the pictures themselves")
        return
    splits = frame.groupby("identity")["split"].nunique()
    several = int((splits > 1).sum())
    status: Literal["ok", "note"] = "note" if several else "ok"
    yield Finding(status, "identities", f"{several:,} of {len(splits):,} in several splits")


def _rows(frame: pd.DataFrame, split: str, facts: PublishedSet) -> Finding:
    found, published = int(frame["split"].eq(split).sum()), facts.rows.get(split)
    if published is None or found == published:
        return Finding("ok", f"{split} rows", f"{found:,}")
    return Finding("note", f"{split} rows", f"{found:,}, published {published:,}")


def _classes(frame: pd.DataFrame, facts: PublishedSet, settings: DataSettings) -> Iterator[Finding]:
    lookup = label_lookup(settings.classes)
    usable = frame[frame["given"].notna()]
    for split, published in facts.counts.items():
        rows = usable if split == ALL else usable[usable["split"].eq(split)]
        counts = rows["given"].value_counts()
        wanted = {
            lookup[word.lower()]: count
            for word, count in zip(facts.classes, published, strict=True)
            if word.lower() in lookup
        }
        if not wanted:  # the settings ask for other classes than the published ones
            continue
        found = {name: int(counts.get(name, 0)) for name in wanted}
        other = [
            f"{name} {found[name]:,} (published {count:,})"
            for name, count in wanted.items()
            if found[name] != count
        ]
        status: Literal["ok", "note"] = "note" if other else "ok"
        told = ", ".join(other) if other else f"all {len(wanted)} as published"
        yield Finding(status, f"{split} classes", told)
    absent = sorted(set(settings.classes) - set(usable["given"].unique()))
    if absent:
        yield Finding("note", "classes", f"no row of {', '.join(absent[:10])}")
