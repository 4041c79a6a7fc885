"""The sections about all runs: results, data, noise, word vectors, curves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from ferclean.config.grid import CEILING, CONTROL
from ferclean.report.contents import NoiseData, PreparedData, ReportData, RunData, judged_rows
from ferclean.report.figures import line_figure
from ferclean.report.heat_maps import HeatMap, heat_map
from ferclean.report.run_section import role_of, slug
from ferclean.tables.labels import SPLITS
from ferclean.tables.review import decided_rows

_LONGEST_LIST = 20
_CURVE_POINTS = 200


def headlines(data: ReportData) -> list[dict[str, Any]]:
    """Build one card a method (controls are compared with, not headlined) and setting."""
    by_name = {run.name: run for run in data.runs}
    chosen = [run for run in data.runs if role_of(run.method) == "method"] or data.runs
    cards = []
    for run in chosen:
        control = by_name.get(f"{run.setting}/{CONTROL}")
        ceiling = by_name.get(f"{run.setting}/{CEILING}")
        cards.append(
            {
                "name": run.name,
                "slug": slug(run.name),
                "metrics": run.metrics,
                "control": None if control in (None, run) else control.metrics,
                "ceiling": None if ceiling in (None, run) else ceiling.metrics,
            }
        )
    return cards


def data_section(prepared: PreparedData) -> dict[str, Any]:
    """Collect counts by split and class, quarantine by reason, duplicates and conflicts."""
    samples = prepared.samples
    counts = pd.crosstab(samples.frame["given"], samples.frame["split"], dropna=False)
    counts = counts.reindex(index=list(samples.classes), columns=list(SPLITS), fill_value=0)
    # A reason's detail (another picture's id, a file name) stands after the colon.
    kinds = prepared.quarantine.assign(reason=prepared.quarantine["reason"].str.split(":").str[0])
    reasons = kinds.groupby(["step", "reason"]).size().reset_index(name="count")
    return {
        "dataset": samples.dataset,
        "splits": SPLITS,
        "counts": [(name, *map(int, row)) for name, row in zip(counts.index, counts.to_numpy(),
                                                              strict=True)],
        "totals": [int(value) for value in counts.sum()],
        "quarantine": reasons.to_numpy().tolist(),
        "duplicates": _excerpt(prepared.duplicates),
        "conflicts": _excerpt(prepared.conflicts),
        "identities": _identities(prepared.summaries.get("ingest", {})),
        "summaries": {
            step: list(_plain_items(summary)) for step, summary in prepared.summaries.items()
        },
    }  # fmt: skip


def _identities(summary: dict[str, Any]) -> str:
    """Say whether somebody stands in several splits."""
    several = summary.get("identities_in_several_splits")
    if several is None:
        return "The data set does not say who is in its pictures: people may stand in two splits."
    return f"People (or photographs with several faces) in more than one split: {several:,}."


def _excerpt(table: pd.DataFrame) -> dict[str, Any]:
    shown = table.head(_LONGEST_LIST).astype(object)
    rows = shown.where(shown.notna(), "").astype(str).to_numpy().tolist()
    return {"total": len(table), "columns": list(map(str, table.columns)), "rows": rows}


def _plain_items(summary: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """List a summary's numbers and short texts as ``a · b`` and value; lists are left out."""
    for key, value in summary.items():
        name = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(value, dict):
            yield from _plain_items(value, f"{name} · ")
        elif isinstance(value, float):
            yield name, f"{value:.4g}"
        elif value is not None and not isinstance(value, list):
            yield name, str(value)


def noise_section(setting: str, noise: NoiseData) -> dict[str, Any]:
    """Describe one noise setting: nominal and realised rate, realised transitions."""
    summary = noise.summary
    truth_known = bool(summary.get("truth_known"))
    change = summary.get("true_to_observed" if truth_known else "given_to_observed") or {}
    transition = change.get("transition")
    return {
        "setting": setting,
        "kind": summary.get("kind", ""),
        "nominal": summary.get("rate"),
        "injected": (summary.get("given_to_observed") or {}).get("rate"),
        "wrong": change.get("rate") if truth_known else None,
        "map": None if transition is None else _transition_map(noise, transition, truth_known),
    }


def _transition_map(noise: NoiseData, transition: list[Any], truth_known: bool) -> HeatMap:
    return heat_map(
        np.array(transition, dtype=np.float64),
        noise.labels.classes,
        title="Realised transitions (% of the row)",
        row_axis="true label" if truth_known else "label as given",
        column_axis="observed label",
        kind="share",
    )


def word_map(similarity: pd.DataFrame | None) -> HeatMap | None:
    """Map the similarity of the class words, or nothing where the table is absent."""
    if similarity is None:
        return None
    names = [str(name) for name in similarity.columns]
    return heat_map(
        similarity.to_numpy(dtype=np.float64), names, title="Cosine similarity of the class words",
        row_axis="class word", column_axis="class word", kind="similarity",
        note="Blue: alike. Orange: opposed.",
    )  # fmt: skip


def setting_figures(setting: str, runs: list[RunData], order: Sequence[str]) -> list[str]:
    """Draw accuracy over the epochs where there is a test split, and what became of the labels.

    The latter where the truth is known.
    """
    name = slug(setting)
    accuracy = {
        run.method: (run.epochs["epoch"].tolist(), (100 * run.epochs["test_accuracy"]).tolist())
        for run in runs
    }
    accuracy = {method: line for method, line in accuracy.items() if np.isfinite(line[1]).any()}
    borders = runs[0].epochs.groupby("round")["epoch"].min().tolist()[1:]
    figures = []
    if accuracy:
        figures.append(
            line_figure(
                accuracy, x_label="epoch (dotted: a round begins)", y_label="test accuracy (%)",
                title=f"Test accuracy, {setting}", name=f"{name}-curves",
                breaks=[border - 0.5 for border in borders], order=order,
            )
        )  # fmt: skip
    labels = {run.method: _label_curve(run) for run in runs if role_of(run.method) != "ceiling"}
    labels = {method: line for method, line in labels.items() if np.isfinite(line[1]).any()}
    if labels:
        most = max(len(x) for x, _ in labels.values())
        figures.append(
            line_figure(
                labels, x_label="labels after round", y_label="right training labels (%)",
                title=f"Label accuracy, {setting}", name=f"{name}-labels", order=order,
                tick_names=["observed", "warm-up", *(str(r) for r in range(1, most - 1))],
            )
        )  # fmt: skip
    found = {run.method: detection_curve(run) for run in runs if role_of(run.method) != "ceiling"}
    drawn = {method: curve for method, curve in found.items() if curve is not None}
    if drawn:
        figures.append(
            line_figure(
                drawn, x_label="recall of wrong labels (%)", y_label="precision (%)",
                title=f"Wrong labels ranked, {setting}", name=f"{name}-detection", order=order,
            )
        )  # fmt: skip
    return figures


def detection_curve(run: RunData) -> tuple[list[float], list[float]] | None:
    """Return how precise a run's doubt is, by how much of what is wrong it finds.

    Parameters
    ----------
    run : RunData
        Its judged rows are ranked by ``clean_probability``, without those that people decided.

    Returns
    -------
    tuple of list, or None
        Recall, rising, and precision at up to 200 places, in per cent. Nothing where no label, or
        every one, is known to be wrong.
    """
    labels = judged_rows(run.labels)
    if "true" not in labels.frame:
        return None
    known = (labels.codes("true") >= 0) & ~decided_rows(labels.frame)
    wrong = (labels.codes("true") != labels.codes("observed"))[known]
    if not wrong.any() or wrong.all():
        return None
    clean = labels.frame["clean_probability"].to_numpy(dtype=np.float64)[known]
    precision, recall, _ = precision_recall_curve(wrong, 1.0 - clean)
    # From the surest down; the last point, precision 1 at recall 0, stands for no row at all.
    places = np.linspace(len(recall) - 2, 0, _CURVE_POINTS).round().astype(int)
    return (100 * recall[places]).tolist(), (100 * precision[places]).tolist()


def _label_curve(run: RunData) -> tuple[list[float], list[float]]:
    after = pd.to_numeric(run.rounds["label_accuracy_after"])
    first = float(pd.to_numeric(run.rounds["label_accuracy_before"]).iloc[0])
    return list(range(len(after) + 1)), [100 * first, *(100 * after).tolist()]


def rate_figures(seeds: pd.DataFrame, order: Sequence[str]) -> list[str]:
    """Draw test accuracy over the noise rate, for every noise kind with several rates."""
    figures = []
    for kind, of_kind in seeds.groupby("noise", sort=False):
        if of_kind["rate"].nunique() < 2:
            continue
        lines, errors = {}, {}
        for method, group in of_kind.groupby("method", sort=False):
            ordered = group.sort_values("rate")
            mean, deviation = (ordered[f"test_accuracy_last_epoch_{k}"] for k in ("mean", "sd"))
            lines[str(method)] = (ordered["rate"].tolist(), (100 * mean).tolist())
            errors[str(method)] = (100 * deviation.fillna(0.0)).tolist()
        figures.append(
            line_figure(
                lines, x_label=f"{kind} noise rate", y_label="test accuracy, last epoch (%)",
                title=f"Accuracy by noise rate, {kind} (mean ± sd over seeds)",
                name=f"rates-{slug(str(kind))}", errors=errors, order=order,
            )
        )  # fmt: skip
    return figures
