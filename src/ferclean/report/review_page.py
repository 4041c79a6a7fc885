"""The review page: doubtful faces in a row, and what a person needs to decide about each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ferclean.audit.findings import VERDICTS
from ferclean.audit.reviewed import label_codes
from ferclean.report.face_sheets import ACROSS, SheetLayout
from ferclean.report.rendering import load_template
from ferclean.tables.audit_inputs import ID_COLUMN, PROBABILITY_PREFIX
from ferclean.tables.review import decided_rows

# More than a person decides before the labels are audited again.
MOST_ROWS = 10_000
# Classes with less are not drawn as bars, unless all classes are.
_SMALLEST_SHARE, _MOST_BARS, _ALL_BARS = 0.005, 10, 12
# Column, what it means in a person's words, how its values are written.
_EVIDENCE = (
    ("given_probability", "The networks give the given label", "share"),
    ("neighbour_agreement", "Look-alikes with the given label", "share"),
    ("margin", "Lead of the given label over the best other one", "signed"),
    ("similarity", "Likeness of prediction and label", "number"),
    ("aleatoric_entropy", "How undecided the networks are (entropy)", "number"),
    ("disagreement", "How far the networks disagree", "number"),
    ("neighbour_distance", "Distance of the look-alikes", "number"),
    ("exact_copies", "Exact copies in the data set", "count"),
    ("near_copies", "Near copies in the data set", "count"),
    ("conflicting_copy", "An exact copy carries another label", "flag"),
)
_OTHER_METHOD = "_clean_probability"


@dataclass(frozen=True)
class ReviewRows:
    """What the page is made of.

    Attributes
    ----------
    table : pandas.DataFrame
        ``audit.parquet``, N rows.
    paths : sequence of str
        ``(N,)`` paths of the pictures.
    nearest : numpy.ndarray
        ``(N, n)`` row numbers of the rows that look alike, nearest first, -1 where there is none.
    classes : sequence of str
    dataset : str
    """

    table: pd.DataFrame
    paths: Sequence[str]
    nearest: np.ndarray
    classes: Sequence[str]
    dataset: str


def rows_to_review(table: pd.DataFrame, limit: int = MOST_ROWS) -> np.ndarray:
    """Choose the rows of the page.

    Returns
    -------
    numpy.ndarray
        Row numbers: those that are not called correct, lowest quality first, at most `limit`;
        then those that a person has decided.
    """
    decided = decided_rows(table)
    quality = table["label_quality"].to_numpy(dtype=np.float64)
    doubted = (table["verdict"] != "correct").to_numpy() & ~decided
    order = np.lexsort((np.arange(len(table)), quality))
    return np.concatenate([order[doubted[order]][:limit], order[decided[order]]])


def faces_shown(rows: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """List every row whose face the page may show: `rows`, then their look-alikes."""
    found = nearest[rows].ravel()
    every = np.concatenate([rows, found[found >= 0]])
    _, first = np.unique(every, return_index=True)
    return np.asarray(every[np.sort(first)])


def page_data(content: ReviewRows, rows: np.ndarray, faces: np.ndarray) -> dict[str, Any]:
    """Describe rows and faces as JSON for the page's script, column by column.

    Parameters
    ----------
    content : ReviewRows
    rows : numpy.ndarray
        Of :func:`rows_to_review`.
    faces : numpy.ndarray
        Of :func:`faces_shown`; the first of them are `rows`.
    """
    table, classes = content.table, content.classes
    shown = table.iloc[rows]
    place = np.full(len(table) + 1, -1, dtype=np.int64)  # its last stands for row -1
    place[faces] = np.arange(len(faces))
    codes = {name: label_codes(table[f"{name}_label"], classes) for name in ("given", "suggested")}
    return {
        "dataset": content.dataset,
        "classes": list(classes),
        "verdicts": list(VERDICTS),
        "doubted": int((table["verdict"] != "correct").sum()),
        "rows": len(rows),
        "ids": table[ID_COLUMN].iloc[faces].astype(str).tolist(),
        "paths": [str(content.paths[row]) for row in rows],
        "given": codes["given"][faces].tolist(),
        "suggested": codes["suggested"][rows].tolist(),
        "quality": _rounded(shown["label_quality"]),
        "verdict": [VERDICTS.index(name) for name in shown["verdict"]],
        "bars": _bars(shown, classes),
        "evidence": _evidence(shown),
        "near": [[int(p) for p in each if p >= 0] for each in place[content.nearest[rows]]],
        "decisions": _decisions(table),
    }


def render_review_page(
    data: Mapping[str, Any], layout: SheetLayout, sheets: Sequence[str], *, title: str
) -> str:
    """Render the page.

    Parameters
    ----------
    data : mapping
        Of :func:`page_data`.
    layout : SheetLayout
        Of the faces.
    sheets : sequence of str
        Names of the sheets' files beside the page, in the order of ``data["ids"]``.
    title : str
        Heading.
    """
    whole = {**data, "sheets": {"files": list(sheets), "across": ACROSS, **asdict(layout)}}
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Nothing in a script element may look like its end, or like markup at all.
    safe = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return str(load_template("review.html").render(title=title, data=data, json=safe))


def _rounded(values: pd.Series) -> list[float | None]:
    numbers = values.to_numpy(dtype=np.float64)
    return [float(f"{v:.3g}") if np.isfinite(v) else None for v in numbers.tolist()]


def _bars(shown: pd.DataFrame, classes: Sequence[str]) -> list[list[float]]:
    """List class and per mille of a row's classes one after the other, most likely first."""
    shares = shown[[f"{PROBABILITY_PREFIX}{name}" for name in classes]].to_numpy(np.float64)
    shares = np.nan_to_num(shares)
    most = len(classes) if len(classes) <= _ALL_BARS else _MOST_BARS
    best = np.argsort(-shares, axis=1, kind="stable")[:, :most]
    found = []
    for row, order in zip(shares, best, strict=True):
        drawn = order[row[order] >= _SMALLEST_SHARE]
        found.append(np.column_stack([drawn, (1000 * row[drawn]).round()]).astype(int).ravel())
    return [each.tolist() for each in found]


def _evidence(shown: pd.DataFrame) -> list[dict[str, Any]]:
    known = [each for each in _EVIDENCE if each[0] in shown]
    others = [name for name in map(str, shown.columns) if name.endswith(_OTHER_METHOD)]
    for name in others:
        method = name.removesuffix(_OTHER_METHOD)
        known.append((name, f"{method}: the label is right", "share"))
    return [
        {"words": words, "kind": kind, "values": _rounded(shown[name])}
        for name, words, kind in known
    ]


def _decisions(table: pd.DataFrame) -> list[dict[str, str]]:
    """Write the decisions that the labels follow already as rows of ``review.csv``."""
    decided = table[decided_rows(table)]
    return [
        {
            "sample_id": str(row[ID_COLUMN]),
            "given": str(row["given_label"]),
            "decision": str(row["reviewed_decision"]),
            "label": "" if pd.isna(row["reviewed_label"]) else str(row["reviewed_label"]),
            "reviewer": str(row["reviewed_by"]),
            "time": str(row["reviewed_at"]),
        }
        for _, row in decided.iterrows()
    ]
