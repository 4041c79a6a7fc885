"""The section of one run: the label table's story, its evidence, its doubts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ferclean.config.grid import CEILING, CONTROL
from ferclean.report.contents import RunData, judged_rows
from ferclean.report.figures import reliability_figure, score_histogram
from ferclean.report.gallery import make_cards, suspicious_rows
from ferclean.report.heat_maps import HeatMap, heat_map, pair_matrix
from ferclean.report.mixtures import is_drawable
from ferclean.report.relations import label_distributions, relation_maps
from ferclean.tables.labels import ACTIONS, LabelTable
from ferclean.tables.partitions import Partition

ROLES = {CONTROL: "control", CEILING: "ceiling"}


def slug(name: str) -> str:
    """Turn a run's name into an id for the page, ``symmetric-0_3-seed0--smr``."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name.replace("/", "--"))


def role_of(method: str) -> str:
    """Say what part a method plays: ``control``, ``ceiling`` or ``method``."""
    return ROLES.get(method, "method")


def run_section(run: RunData, *, gallery: int, picture_of: Callable[[str], str]) -> dict[str, Any]:
    """Collect what the template shows of one run.

    Parameters
    ----------
    run : RunData
        The run.
    gallery : int
        Most suspicious faces to show.
    picture_of : callable
        Turns a sample_id into a data URI.
    """
    name = slug(run.name)
    rows = suspicious_rows(run.labels, gallery)
    cards = make_cards(run.labels, rows, picture_of)
    everything = len(suspicious_rows(run.labels, len(run.labels)))
    return {
        "name": run.name,
        "slug": name,
        "setting": run.setting,
        "method": run.method,
        "role": role_of(run.method),
        "metrics": run.metrics,
        "rounds": _round_rows(run.rounds),
        "truth_known": run.metrics.get("label_accuracy_observed") is not None,
        "histograms": _histograms(run, name),
        "maps": _label_maps(run),
        "test_map": _test_map(run),
        "label_distributions": label_distributions(run.labels, picture_of),
        "relations": relation_maps(run),
        "doubts": _doubts(run.metrics),
        "reliability": _reliability(run, name),
        "cards": cards,
        "card_labels": sorted({card.observed for card in cards}),
        "card_actions": [a for a in ACTIONS if any(card.action == a for card in cards)],
        "suspicious_total": everything,
    }


def _doubts(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """List what was correlated with the votes' and the true distributions' entropy, by rows."""
    found = []
    for rows, prefix in (("test", "test_uncertainty_"), ("training", "uncertainty_")):
        for key in metrics:
            name = key.removeprefix(prefix).removesuffix("_votes_spearman")
            if key != f"{prefix}{name}_votes_spearman":
                continue
            votes, truth = metrics[key], metrics[f"{prefix}{name}_truth_spearman"]
            if votes is not None or truth is not None:
                found.append({"rows": rows, "name": name, "votes": votes, "truth": truth})
    return found


def _round_rows(rounds: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for record in rounds.to_dict("records"):
        total = max(1, int(record["rows"]))
        shares = {action: record[action] / total for action in ACTIONS}
        rows.append({str(key): value for key, value in record.items()} | {"shares": shares})
    return rows


def _histograms(run: RunData, name: str) -> list[str]:
    verdict = _verdicts(judged_rows(run.labels))
    figures = []
    for number, partition in sorted(run.partitions.items()):
        for net in range(len(partition.score)):
            drawn = score_histogram(
                partition.score[net],
                verdict,
                _mixture_of(partition, net),
                score_name=partition.score_name,
                title=_histogram_title(number, net, len(partition.score)),
                name=f"{name}-scores-{number}-{net}",
            )
            figures.append(drawn)
    return figures


def _histogram_title(number: int, net: int, networks: int) -> str:
    after = "after warm-up" if number == 0 else f"after round {number}"
    return after if networks == 1 else f"{after}, network {net + 1} of {networks}"


def _mixture_of(partition: Partition, net: int) -> dict[str, Any] | None:
    found = partition.parameters.get(f"net_{net}")
    return found if isinstance(found, dict) and is_drawable(found) else None


def _verdicts(judged: LabelTable) -> np.ndarray:
    """Tell whether each observed label is right (0), wrong (1) or of unknown truth (-1)."""
    if "true" not in judged.frame:
        return np.full(len(judged), -1)
    true, observed = judged.codes("true"), judged.codes("observed")
    return np.where((true < 0) | (observed < 0), -1, true != observed).astype(np.int64)


def _label_maps(run: RunData) -> list[HeatMap]:
    classes, pairs = run.labels.classes, run.confusion
    maps = [
        heat_map(
            pair_matrix(pairs, "suggested", classes),
            classes,
            title="What was changed",
            row_axis="observed label",
            column_axis="suggested label",
            kind="count",
            note="Training rows; off the diagonal the label was changed.",
        )
    ]
    observed = pair_matrix(pairs, "observed", classes)
    if not np.nansum(observed):
        return maps
    repaired = pair_matrix(pairs, "repaired", classes)
    solved = pair_matrix(pairs, "observed", classes, "label_accuracy")
    true = "true label"
    return [
        *maps,
        heat_map(
            observed, classes, title="Before: true against observed", row_axis=true,
            column_axis="observed label", kind="count", note="Off the diagonal: wrong labels.",
        ),
        heat_map(
            repaired, classes, title="After: true against final", row_axis=true,
            column_axis="final label", kind="count", note="Off the diagonal: labels still wrong.",
        ),
        heat_map(
            solved, classes, title="Right in the end, per class pair (%)", row_axis=true,
            column_axis="observed label", kind="share",
            note="Diagonal: right labels left alone. Off it: wrong labels that were repaired.",
        ),
    ]  # fmt: skip


def _test_map(run: RunData) -> HeatMap | None:
    counts = pair_matrix(run.confusion, "test", run.labels.classes)
    if not np.nansum(counts):
        return None
    return heat_map(
        counts, run.labels.classes, title="Test rows, last epoch", row_axis="true label",
        column_axis="predicted label", kind="count",
    )  # fmt: skip


def _reliability(run: RunData, name: str) -> str | None:
    if not run.calibration["count"].sum():
        return None
    return reliability_figure(
        run.calibration, title="Reliability on test rows, last epoch", name=f"{name}-reliability"
    )
