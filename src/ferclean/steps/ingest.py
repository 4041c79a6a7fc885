"""Step ``ingest``: any data set in; one label table, one picture pack and the evidence out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.config.load import Settings
from ferclean.datasets.base import Source, first_reason
from ferclean.datasets.duplicates import (
    conflict_table,
    count_held_out_copies,
    duplicate_table,
    exact_groups,
    held_out_copies,
)
from ferclean.datasets.examine import examine_pictures
from ferclean.datasets.fingerprints import Fingerprints
from ferclean.datasets.pictures import PictureError
from ferclean.datasets.registry import read_source
from ferclean.datasets.splits import hold_out
from ferclean.errors import FercleanError
from ferclean.progress import say, track
from ferclean.tables.atomic import write_csv, write_json
from ferclean.tables.labels import SPLITS, LabelTable, make_table, write_label_table
from ferclean.tables.packs import encoded_pack

_FIRST_COLUMNS = ("sample_id", "path", "split", "given", "true")
_LAST_COLUMNS = ("width", "height", "sha256", "identity")


def ingest(*, output: Path, settings: Settings) -> None:
    """Read the data set of section ``data`` and write the files of the step ``ingest``.

    Each picture is read once: decoded to prove that it can be and to fingerprint it, and copied
    as it came into the pack. The pack may hold pictures of training rows that are quarantined
    afterwards as copies of held-out ones.

    Parameters
    ----------
    output : Path
        Folder for ``samples.parquet``, ``pictures.arrow``, ``quarantine.csv``,
        ``duplicates.csv``, ``conflicts.csv`` and ``summary.json``.
    settings : Settings
        With section ``data``.

    Raises
    ------
    FercleanError
        If the data set cannot be read or nothing of its training split can be used.
    """
    data: DataSettings = settings.data
    output = Path(output)
    source = read_source(data)
    frame, position = _sorted_rows(source)
    fingerprints = Fingerprints.empty(len(frame))
    unreadable = np.full(len(frame), None, dtype=object)
    pictures = _usable_pictures(source, frame, position, fingerprints, unreadable, data.max_pixels)
    # The pack takes its place only once all the rest is known to stand.
    with encoded_pack(output / "pictures.arrow", pictures):
        tables, summary = _tables(source, frame, fingerprints, unreadable, data)
    _write(output, tables, summary)


@dataclass(frozen=True)
class _Tables:
    samples: LabelTable
    quarantine: pd.DataFrame
    duplicates: pd.DataFrame
    conflicts: pd.DataFrame


def _tables(
    source: Source,
    frame: pd.DataFrame,
    fingerprints: Fingerprints,
    unreadable: np.ndarray,
    data: DataSettings,
) -> tuple[_Tables, dict[str, Any]]:
    """Return the step's tables and summary, once all pictures are examined."""
    frame["reason"] = first_reason(frame["reason"], pd.Series(unreadable))
    _check_all_examined(frame, fingerprints, source.dataset)
    frame = frame.assign(
        width=fingerprints.width,
        height=fingerprints.height,
        sha256=np.char.decode(fingerprints.sha256, "ascii"),
    )
    group = exact_groups(fingerprints.sha256)
    frame, copied = _separate_splits(frame, group, data)
    duplicates, complete = duplicate_table(
        frame, fingerprints, distance=data.near_duplicate_distance
    )
    conflicts = conflict_table(frame, group)
    summary = _summarise(source.dataset, frame, data)
    summary["duplicates"] = {
        "exact": int(duplicates["kind"].eq("exact").sum()),
        "near": int(duplicates["kind"].eq("near").sum()),
        "near_search_complete": complete,
        "conflicting_groups": int(conflicts["group"].nunique()),
        "copies_of_held_out_pictures": {
            "all_rows": count_held_out_copies(frame, group),
            "usable_rows": copied,
        },
    }
    samples, quarantine = _kept_and_refused(frame, source.dataset, data)
    return _Tables(samples, quarantine, duplicates, conflicts), summary


def _sorted_rows(source: Source) -> tuple[pd.DataFrame, np.ndarray]:
    """Sort the source's rows by sample_id and mark repeats; also each row's new position."""
    order = source.frame["sample_id"].argsort(kind="stable").to_numpy()
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    frame = source.frame.iloc[order].reset_index(drop=True)
    repeats = frame["sample_id"].duplicated().map({True: "repeated sample_id", False: None})
    frame["reason"] = first_reason(frame["reason"], repeats.astype(object))
    return frame, position


def _usable_pictures(
    source: Source,
    frame: pd.DataFrame,
    position: np.ndarray,
    fingerprints: Fingerprints,
    unreadable: np.ndarray,
    max_pixels: int,
) -> Iterator[tuple[str, bytes]]:
    """Yield what goes into the pack; fill `fingerprints`, and why pictures are `unreadable`."""
    ids, usable = frame["sample_id"].to_numpy(dtype=object), frame["reason"].isna().to_numpy()
    # A repeated row is no second sample: it would be reported as its own duplicate.
    repeated = frame["sample_id"].duplicated().to_numpy()
    pictures = (item for item in source.pictures if not repeated[position[item[0]]])
    examined = examine_pictures(pictures, max_pixels=max_pixels)
    for number, encoded, outcome in track(examined, "ingest", len(frame)):
        row = position[number]
        if isinstance(outcome, PictureError):
            unreadable[row] = outcome.reason
            continue
        fingerprints.put(row, outcome)
        if usable[row] and isinstance(encoded, bytes):
            yield ids[row], encoded


def _check_all_examined(frame: pd.DataFrame, fingerprints: Fingerprints, dataset: str) -> None:
    lost = frame["reason"].isna().to_numpy() & (fingerprints.sha256 == b"")
    if lost.any():
        raise RuntimeError(f"the reader of {dataset} gave no picture for {lost.sum()} rows")


def _separate_splits(
    frame: pd.DataFrame, group: np.ndarray, data: DataSettings
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Drop training copies of held-out pictures and hold out a validation split if there is none.

    Copies of test pictures go first, so that none is drawn into the validation split.
    """
    own_validation = frame["split"].eq("val").any()
    copied = count_held_out_copies(frame, _usable(frame, group))
    frame = _drop_copies(frame, group, data)
    if own_validation or not data.validation_fraction:
        return frame, copied
    rows = np.flatnonzero(frame["reason"].isna() & frame["split"].eq("train"))
    labels = frame["given"].iloc[rows].map(data.classes.index).to_numpy(dtype=np.int64)
    groups = _groups(frame.iloc[rows]) if "identity" in frame else None
    held_out = hold_out(labels, fraction=data.validation_fraction, seed=data.seed, groups=groups)
    split = frame["split"].to_numpy(dtype=object, copy=True)
    split[rows[held_out]] = "val"
    frame = frame.assign(split=split)
    copied["val"] = count_held_out_copies(frame, _usable(frame, group))["val"]
    return _drop_copies(frame, group, data), copied


def _groups(frame: pd.DataFrame) -> np.ndarray:
    """Return a number for each identity, ``(N,)``; a row without one is a group of its own."""
    numbers, _ = pd.factorize(frame["identity"])
    alone = numbers < 0
    return np.where(alone, len(frame) + np.arange(len(frame)), numbers)


def _usable(frame: pd.DataFrame, group: np.ndarray) -> np.ndarray:
    return np.where(frame["reason"].isna(), group, -1)


def _drop_copies(frame: pd.DataFrame, group: np.ndarray, data: DataSettings) -> pd.DataFrame:
    if data.duplicates == "keep":
        return frame
    copies = held_out_copies(frame, _usable(frame, group))
    return frame.assign(reason=first_reason(frame["reason"], copies))


def _summarise(dataset: str, frame: pd.DataFrame, data: DataSettings) -> dict[str, Any]:
    kept = frame[frame["reason"].isna()]
    # A reason's detail (a file name, a number) stands after the colon.
    kinds = frame["reason"].dropna().str.split(":").str[0].value_counts().sort_index()
    if not kept["split"].eq("train").any():
        most = f", most often because of {kinds.idxmax()!r}" if len(kinds) else ""
        raise FercleanError(
            f"data.path {data.path}: no training row can be used; "
            f"{len(frame) - len(kept)} of {len(frame)} rows were refused{most}"
        )
    counts = kept.groupby(["split", "given"]).size()
    summary: dict[str, Any] = {
        "dataset": dataset,
        "source": data.source,
        "rows": len(frame),
        "kept": len(kept),
        "quarantined": len(frame) - len(kept),
        "quarantined_by_reason": {kind: int(count) for kind, count in kinds.items()},
        "splits": {
            split: {name: int(counts.get((split, name), 0)) for name in data.classes}
            for split in SPLITS
        },
    }
    # Missing where the data set does not say who is in its pictures.
    summary["identities_in_several_splits"] = None
    if "identity" in kept:
        spread = kept.groupby("identity")["split"].nunique()
        several = int((spread > 1).sum())
        summary["identities_in_several_splits"] = several
        if several:
            say(f"ingest: {several} identities stand in more than one split; test results flatter")
    return summary


def _kept_and_refused(
    frame: pd.DataFrame, dataset: str, data: DataSettings
) -> tuple[LabelTable, pd.DataFrame]:
    refused = frame["reason"].notna()
    quarantine = frame.loc[refused, ["sample_id", "path", "reason"]]
    samples = frame[~refused].drop(columns="reason")
    first = [name for name in _FIRST_COLUMNS if name in samples]
    last = [name for name in _LAST_COLUMNS if name in samples]
    middle = [name for name in samples.columns if name not in (*first, *last)]
    table = make_table(samples[first + middle + last], data.classes, dataset)
    if len(table) + len(quarantine) != len(frame):
        raise RuntimeError(f"rows of {dataset} were lost between reading and writing")
    return table, quarantine


def _write(output: Path, tables: _Tables, summary: dict[str, Any]) -> None:
    write_label_table(tables.samples, output / "samples.parquet")
    write_csv(output / "quarantine.csv", tables.quarantine)
    write_csv(output / "duplicates.csv", tables.duplicates)
    write_csv(output / "conflicts.csv", tables.conflicts)
    write_json(output / "summary.json", summary)
    kept, refused = len(tables.samples), len(tables.quarantine)
    say(f"ingest: {kept} of {summary['rows']} rows kept, {refused} quarantined")
