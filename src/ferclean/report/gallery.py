"""Which faces are shown: samples of every class, and the most suspicious labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ferclean.evaluate.truth import best_known_codes, known_distributions
from ferclean.tables.labels import LabelTable

_BARS = 3


@dataclass(frozen=True)
class Bar:
    """One class's probability on a card."""

    name: str
    share: float


@dataclass(frozen=True)
class Card:
    """One face of the gallery; ``true`` is ``None`` where nobody knows."""

    sample_id: str
    path: str
    picture: str
    observed: str
    suggested: str
    quality: float
    action: str
    reason: str
    true: str | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class SampleRow:
    """One class's faces on the sample sheet: ``(picture, sample_id)`` each."""

    name: str
    faces: tuple[tuple[str, str], ...]


def suspicious_rows(labels: LabelTable, limit: int) -> np.ndarray:
    """Choose the most suspicious training rows of a repaired label table.

    Suspicious is every label that the run did not keep, by the method's own cut-off, and that no
    person has decided.

    Parameters
    ----------
    labels : LabelTable
        With ``suggested_label``, ``label_quality``, ``action`` and ``p_<class>``.
    limit : int
        Most rows to return.

    Returns
    -------
    numpy.ndarray
        Positions: lowest ``label_quality`` first, then the surest suggestion, then the id.
    """
    frame = labels.frame
    quality = frame["label_quality"].to_numpy(dtype=np.float64)
    doubted = (frame["action"] != "keep").to_numpy()
    if "reviewed_decision" in frame:
        doubted = doubted & frame["reviewed_decision"].isna().to_numpy()
    rows = np.flatnonzero(np.isfinite(quality) & doubted)
    surest = labels.matrix("p_")[rows].max(axis=1, initial=0.0)
    order = np.lexsort((rows, -surest, quality[rows]))
    return np.asarray(rows[order][:limit])


def make_cards(
    labels: LabelTable, rows: np.ndarray, picture_of: Callable[[str], str]
) -> list[Card]:
    """Build the cards of some rows; `picture_of` turns a sample_id into a data URI."""
    distributions = labels.matrix("p_")
    return [
        _card(labels.frame.iloc[row], distributions[row], labels.classes, picture_of)
        for row in rows
    ]


def _card(
    row: pd.Series,
    distribution: np.ndarray,
    classes: Sequence[str],
    picture_of: Callable[[str], str],
) -> Card:
    top = np.argsort(-distribution, kind="stable")[:_BARS]
    return Card(
        sample_id=str(row["sample_id"]),
        path=str(row["path"]),
        picture=picture_of(str(row["sample_id"])),
        observed=str(row["observed"]),
        suggested=str(row["suggested_label"]),
        quality=float(row["label_quality"]),
        action=str(row["action"]),
        reason=_text(row.get("reason")),
        true=_text(row.get("true")) or None,
        bars=tuple(Bar(classes[k], float(distribution[k])) for k in top),
    )


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def sample_sheet(
    samples: LabelTable, per_class: int, picture_of: Callable[[str], str]
) -> list[SampleRow]:
    """Choose faces of every class by their best-known label, spread evenly over the table.

    Rows whose true distribution is all on one class are preferred: a compound expression is no
    example of either class.
    """
    frame, codes = samples.frame, best_known_codes(samples)
    pure = _is_pure(samples)
    sheet = []
    for code, name in enumerate(samples.classes):
        rows = np.flatnonzero((codes == code) & pure)
        if len(rows) == 0:
            rows = np.flatnonzero(codes == code)
        if len(rows) > per_class:
            rows = rows[np.linspace(0, len(rows) - 1, per_class).round().astype(np.int64)]
        ids = [str(frame["sample_id"].iloc[row]) for row in rows]
        sheet.append(SampleRow(name, tuple((picture_of(name), name) for name in ids)))
    return sheet


def _is_pure(samples: LabelTable) -> np.ndarray:
    # Where the distribution is unknown nothing speaks against the row.
    largest = np.nan_to_num(known_distributions(samples), nan=1.0).max(axis=1)
    return np.asarray(largest > 1 - 1e-6)
