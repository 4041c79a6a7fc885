"""The sections of docs/results.md about many small data sets."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from ferclean.tables.atomic import read_json
from render_cost import table

AUDIT_COLUMNS = (
    ("f1_argmax", "F1, argmax rule"),
    ("f1_cleanlab", "F1, cleanlab's default"),
    ("f1_audit", "F1, audit"),
    ("auroc", "AUROC, audit"),
    ("labels_right_before", "labels before"),
    ("labels_right_after", "labels after"),
    ("estimated_noise_rate", "estimated rate"),
)
KINDS = {
    "sym": "any other class",
    "pair": "the next class",
    "cls": "by class",
    "human": "where it is hard",
    "blur": "where the expert saw a blur",
    "none": "nowhere",
}
SMALL_SETS = {
    "random": "rendered, a fifth with labels at random",
    "next": "rendered, a fifth with the next label",
    "fer2013": "FER2013 with its own labels",
}
SMALL_SCORES = ("auroc", "f1", "oracle_f1")
PER_CENT = ("labels", "accuracy", "class_accuracy", "noise_rate", "estimated_noise_rate")
TRANSLATION_COLUMNS = (
    ("accuracy_plain", "as predicted"),
    ("accuracy_whole", "translated"),
    ("accuracy_ferclean", "as ferclean would"),
    ("class_accuracy_plain", "mean-class, as predicted"),
    ("class_accuracy_whole", "translated"),
    ("class_accuracy_ferclean", "as ferclean would"),
)


def suite_sections(results: Path) -> list[str]:
    """Render every record of a suite that is there."""
    renderers = {
        "small_audit": _small_audit,
        "audit_suite": _audit_suite,
        "translation_suite": _translation_suite,
    }
    return [
        render(read_json(results / f"{name}.json"))
        for name, render in renderers.items()
        if (results / f"{name}.json").exists()
    ]


def _small_audit(record: dict[str, Any]) -> str:
    """Render means over the seeds by what the pictures are and how many there are."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for name, case in record["cases"].items():
        kind, rows, _ = name.split("-")
        groups.setdefault((kind, int(rows)), []).append(case)
    header = ["pictures", "rows", "seeds", "wrong", "estimated", "AUROC", "F1, own cut-off"]
    header += ["F1, oracle", "called wrong", "of them wrong", "labels before", "after", "seconds"]
    order = list(SMALL_SETS)
    rows = [header]
    for (kind, count), cases in sorted(groups.items(), key=lambda g: (order.index(g[0][0]), g[0])):
        called = sum(case["verdicts"].get("wrong", 0) for case in cases)
        rightly = sum(case["called_wrong_rightly"] for case in cases)
        rows.append(
            [SMALL_SETS[kind], f"{count:,}", str(len(cases))]
            + [_mean(key, cases) for key in ("noise_rate", "estimated_noise_rate", *SMALL_SCORES)]
            + [str(called), str(rightly)]
            + [_mean(f"labels_right_{when}", cases) for when in ("before", "after")]
            + [f"{statistics.fmean(case['seconds'] for case in cases):.0f}"]
        )
    made = (
        f"`{record['command']} --data FOLDER`; {record['environment']['device']}. What `ferclean "
        "audit --data` does with few pictures; means over the seeds, and sums of what was called "
        "wrong. Photographs are those of which FER+ is sure."
    )
    return "\n".join(["## Audits of small sets", "", made, "", *table(rows), ""])


def _audit_suite(record: dict[str, Any]) -> str:
    """Render means over data sets and classifiers by kind of noise and rate."""
    rows = []
    for kind, rate, cases in _by_kind(record):
        means = [_mean(key, cases) for key, _ in AUDIT_COLUMNS]
        error = statistics.fmean(_rate_error(case) for case in cases)
        within = sum(case["within_bounds"] for case in cases)
        rows.append([kind, rate, *means, f"{error:.3f}", f"{within:.0f} of {len(cases)}"])
    headings = [heading for _, heading in AUDIT_COLUMNS]
    header = ["noise goes to", "rate", *headings, "error of rate", "rate within bounds"]
    made = (
        f"`{record['command']}`; {record['environment']['device']}. Out-of-fold probabilities, one "
        "setting for all; the audit's constants were chosen on this suite."
    )
    title = "Audit from arrays: small data sets, five classifiers, five kinds of noise"
    return "\n".join([f"## {title}", "", made, "", *table([header, *rows]), ""])


def _translation_suite(record: dict[str, Any]) -> str:
    """Render what a translation of predictions gives, and how far ferclean would go."""
    rows = []
    for kind, rate, cases in _by_kind(record):
        directed = statistics.fmean(case["directed"] for case in cases)
        means = [_mean(key, cases) for key, _ in TRANSLATION_COLUMNS]
        rows.append([kind, rate, *means, f"{directed:.2f}"])
    header = ["noise goes to", "rate", *(heading for _, heading in TRANSLATION_COLUMNS), "directed"]
    made = (
        f"`{record['command']}`; {record['environment']['device']}. Accuracy on unseen rows of "
        "classifiers that learnt noisy labels; *directed* is the share of believed errors that go "
        "one way, by which the method `ferclean` decides."
    )
    title = "Translation of predictions: small data sets, three classifiers"
    return "\n".join([f"## {title}", "", made, "", *table([header, *rows]), ""])


def _by_kind(record: dict[str, Any]) -> list[tuple[str, str, list[dict[str, float]]]]:
    """Return kind in words, rate and cases of each kind of noise."""
    groups: dict[tuple[str, str], list[dict[str, float]]] = {}
    for name, case in record["cases"].items():
        _, kind, rate, _ = name.split("-")
        groups.setdefault((kind, rate), []).append(case)
    order = list(KINDS)
    ordered = sorted(groups.items(), key=lambda group: order.index(group[0][0]))
    return [(KINDS[kind], f"{float(rate):.0%}", cases) for (kind, rate), cases in ordered]


def _mean(key: str, cases: list[dict[str, Any]]) -> str:
    if any(case[key] is None for case in cases):  # of wrong labels, where none is
        return "-"
    mean = statistics.fmean(case[key] for case in cases)
    return f"{100 * mean:.1f}" if key.startswith(PER_CENT) else f"{mean:.3f}"


def _rate_error(case: dict[str, float]) -> float:
    return abs(case["estimated_noise_rate"] - case["noise_rate"])
