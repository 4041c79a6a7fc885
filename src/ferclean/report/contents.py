"""What the page is made from: results as loaded by the report step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ferclean.errors import FercleanError
from ferclean.tables.face_packs import Faces
from ferclean.tables.labels import LabelTable
from ferclean.tables.partitions import Partition


@dataclass(frozen=True)
class PreparedData:
    """What ingest and align left.

    Attributes
    ----------
    samples : LabelTable
        Align's table, with ``face_row``.
    faces : Faces
        ``(M, H, W, C)`` uint8, memory-mapped; indexed by ``face_row``.
    quarantine : pandas.DataFrame
        ``step`` and ``reason``, one row a picture that was left out.
    duplicates, conflicts : pandas.DataFrame
        Tables of ingest, as they are.
    summaries : dict
        Step name to its ``summary.json``.
    """

    samples: LabelTable
    faces: Faces
    quarantine: pd.DataFrame
    duplicates: pd.DataFrame
    conflicts: pd.DataFrame
    summaries: dict[str, Any]

    def face(self, sample_id: str) -> np.ndarray:
        """Return one aligned face, ``(H, W, C)`` uint8."""
        ids = self.samples.frame["sample_id"]
        row = min(int(ids.searchsorted(sample_id)), len(ids) - 1)
        if ids.iloc[row] != sample_id:
            raise FercleanError(f"align's samples.parquet lacks the sample {sample_id!r}")
        return np.asarray(self.faces[int(self.samples.frame["face_row"].iloc[row])])


# Of confusion.csv.
CLASS_COLUMNS = ("row", "column")


@dataclass(frozen=True)
class NoiseData:
    """One noise setting: its labels and ``noise.json``."""

    labels: LabelTable
    summary: dict[str, Any]


@dataclass(frozen=True)
class RunData:
    """One run: what evaluate wrote, and the partitions of its rounds.

    Attributes
    ----------
    name, setting, method : str
        ``name`` is ``<setting>/<method>``.
    metrics : dict
        ``metrics.json``.
    epochs, rounds, confusion, calibration : pandas.DataFrame
        The CSV files of the same names.
    labels : LabelTable
        The repaired label table.
    partitions : dict
        Round to its partition; may be empty.
    """

    name: str
    setting: str
    method: str
    metrics: dict[str, Any]
    epochs: pd.DataFrame
    rounds: pd.DataFrame
    confusion: pd.DataFrame
    calibration: pd.DataFrame
    labels: LabelTable
    partitions: dict[int, Partition] = field(default_factory=dict)


def judged_rows(labels: LabelTable) -> LabelTable:
    """Keep the rows that the run's rounds judged, in the table's order.

    What people decided is no sign of it: they decide about rows that a run never held, too.
    """
    return labels.take(labels.frame["clean_probability"].notna().to_numpy())


@dataclass(frozen=True)
class ReportData:
    """Everything on the page.

    Attributes
    ----------
    prepared : PreparedData
        Pictures and labels as received.
    noise : dict
        Setting name to its noise.
    similarity : pandas.DataFrame or None
        Class by class similarity of the word vectors.
    semantics : dict
        The word-vector step's ``summary.json``.
    runs : list of RunData
        In the order of `results`.
    results, seeds : pandas.DataFrame
        The summary's ``results.csv`` and ``seeds.csv``.
    costs : pandas.DataFrame
        The summary's ``timing.csv``.
    """

    prepared: PreparedData
    noise: dict[str, NoiseData]
    similarity: pd.DataFrame | None
    semantics: dict[str, Any]
    runs: list[RunData]
    results: pd.DataFrame
    seeds: pd.DataFrame
    costs: pd.DataFrame
