"""One page about an audit: how many labels are wrong, of which kind, and the faces themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ferclean.report.heat_maps import heat_map
from ferclean.report.rendering import load_template
from ferclean.tables.review import decided_rows

_BARS = 3
# Verdict, heading, what it means.
_GALLERIES = (
    (
        "wrong",
        "Wrong labels",
        "Below the cut-off, and another class is more likely; the least likely labels first.",
    ),
    (
        "ambiguous",
        "Ambiguous labels",
        "Below the cut-off, though no other class is more likely: a person should look.",
    ),
    (
        "out_of_scope",
        "Unlike all others",
        "Far from all other rows in feature space: perhaps no face, or none of the classes.",
    ),
)


@dataclass(frozen=True)
class Finding:
    """One row of a gallery; ``picture`` is ``None`` where there are none."""

    sample_id: str
    picture: str | None
    given: str
    suggested: str
    quality: float
    bars: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class FindingGallery:
    """The rows of one verdict that are shown, and how many there are in all."""

    verdict: str
    heading: str
    note: str
    total: int
    findings: tuple[Finding, ...]


def render_audit_page(
    table: pd.DataFrame,
    found: dict[str, Any],
    *,
    title: str,
    gallery: int,
    picture_of: Callable[[str], str] | None = None,
    review: str | None = None,
) -> str:
    """Render an audit as one HTML text without any reference to the outside.

    Parameters
    ----------
    table : pandas.DataFrame
        ``audit.parquet``.
    found : dict
        ``audit.json``.
    title : str
        Heading.
    gallery : int
        Most rows shown of each verdict.
    picture_of : callable, optional
        Turns a sample_id into a data URI; without it rows are shown without pictures.
    review : str, optional
        Address of the review page beside this one.

    Returns
    -------
    str
        The same audit gives the same text.
    """
    classes = found["classes"]
    transitions = heat_map(
        np.array(found["transitions"]),
        classes,
        title="Estimated transitions, per cent",
        row_axis="true",
        column_axis="given",
        kind="share",
        note="How given labels arise from true ones, as far as disagreement tells.",
    )
    context = {
        "title": title,
        "found": found,
        "transitions": transitions,
        "review": review,
        "galleries": [
            _gallery(table, classes, verdict, heading, note, gallery, picture_of)
            for verdict, heading, note in _GALLERIES
        ],
    }
    return str(load_template("audit.html").render(context))


def _gallery(
    table: pd.DataFrame,
    classes: Sequence[str],
    verdict: str,
    heading: str,
    note: str,
    limit: int,
    picture_of: Callable[[str], str] | None,
) -> FindingGallery:
    # The galleries show what is still open.
    rows = np.flatnonzero((table["verdict"] == verdict).to_numpy() & ~decided_rows(table))
    order = np.argsort(table["label_quality"].to_numpy()[rows], kind="stable")
    shown = table.iloc[rows[order][:limit]]
    findings = tuple(_finding(row, classes, picture_of) for _, row in shown.iterrows())
    return FindingGallery(verdict, heading, note, len(rows), findings)


def _finding(
    row: pd.Series, classes: Sequence[str], picture_of: Callable[[str], str] | None
) -> Finding:
    shares = [(name, float(row[f"p_{name}"])) for name in classes]
    name = str(row["sample_id"])
    return Finding(
        sample_id=name,
        picture=None if picture_of is None else picture_of(name),
        given=str(row["given_label"]),
        suggested=str(row["suggested_label"]),
        quality=float(row["label_quality"]),
        bars=tuple(sorted(shares, key=lambda share: -share[1])[:_BARS]),
    )
