"""Let people's decisions win over an audit's verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ferclean.audit.examine import Examination
from ferclean.audit.findings import VERDICTS, worst_pairs
from ferclean.tables.audit_inputs import ID_COLUMN, PROBABILITY_PREFIX
from ferclean.tables.labels import LabelTable, labels_from_codes
from ferclean.tables.review import (
    AMBIGUOUS,
    DECISIONS,
    KEEP,
    NOT_A_FACE,
    RELABEL,
    decided_rows,
)

_VERDICT_OF = {
    KEEP: "correct",
    RELABEL: "wrong",
    AMBIGUOUS: "ambiguous",
    NOT_A_FACE: "out_of_scope",
}
_TEXTS = ("reviewed_decision", "reviewed_by", "reviewed_at")


def label_codes(values: pd.Series, classes: Sequence[str]) -> np.ndarray:
    """Return class codes of an audit's labels, ``(N,)`` int64, -1 where missing."""
    return np.asarray(pd.Categorical(values, categories=list(classes)).codes, dtype=np.int64)


def with_decisions(found: Examination, reviewed: LabelTable) -> Examination:
    """Lay decisions over what was found.

    Parameters
    ----------
    found : Examination
        Of the labels as training saw them, decided ones included.
    reviewed : LabelTable
        See :func:`~ferclean.tables.labels.read_reviewed_rows`; rows that are no training rows,
        and were not taken out of them, count nowhere.

    Returns
    -------
    Examination
        Decided rows have the verdict that follows from the decision, and the label from before
        it as their given one. A label that a person named is the suggested one, with all
        probability; the given one's quality is then 1 or 0. What is no face was not looked at:
        its row is new, without suggestion and probabilities. Columns ``reviewed_decision``,
        ``reviewed_label``, ``reviewed_by`` and ``reviewed_at`` are added. In the summary, counts
        of verdicts, rows and pairs follow, and ``reviewed`` counts the decisions; estimates stay
        those of the labels as training saw them.
    """
    table, classes = found.table, reviewed.classes
    excluded = reviewed.frame["reviewed_decision"] == NOT_A_FACE
    in_training = reviewed.frame["split_before_review"] == "train"
    new = reviewed.frame.loc[excluded & in_training, ID_COLUMN]
    order = pd.Index(table[ID_COLUMN]).append(pd.Index(new)).sort_values()
    table = table.set_index(ID_COLUMN).reindex(order).rename_axis(ID_COLUMN).reset_index()
    decisions = reviewed.frame.set_index("sample_id").reindex(table[ID_COLUMN])
    for name in (*_TEXTS, "reviewed_label"):
        table[name] = decisions[name].to_numpy()
    table["reviewed_label"] = pd.Categorical(table["reviewed_label"], categories=list(classes))
    _overrule(table, decisions["before_review"], classes)
    return Examination(table, _recounted(found.summary, table, classes))


def _overrule(table: pd.DataFrame, before: pd.Series, classes: Sequence[str]) -> None:
    decision = table["reviewed_decision"]
    decided = decided_rows(table)
    given = np.where(
        decided, label_codes(before, classes), label_codes(table["given_label"], classes)
    )
    label = label_codes(table["reviewed_label"], classes)
    ambiguous = (decision == AMBIGUOUS).to_numpy()
    named, no_face = label >= 0, (decision == NOT_A_FACE).to_numpy()
    suggested = np.select(
        [named, ambiguous, no_face],
        [label, given, -1],
        label_codes(table["suggested_label"], classes),
    )
    table["given_label"] = labels_from_codes(given, classes)
    table["suggested_label"] = labels_from_codes(suggested, classes)
    table.loc[named, "label_quality"] = (label == given)[named].astype(np.float32)
    verdict = decision.map(_VERDICT_OF).where(decision.notna(), table["verdict"].astype(object))
    table["verdict"] = pd.Categorical(verdict, categories=list(VERDICTS))
    for code, name in enumerate(classes):
        table.loc[named, f"{PROBABILITY_PREFIX}{name}"] = (label == code)[named].astype(np.float32)


def _recounted(
    summary: dict[str, Any], table: pd.DataFrame, classes: Sequence[str]
) -> dict[str, Any]:
    verdict, decision = table["verdict"], table["reviewed_decision"]
    given, suggested = (
        label_codes(table[f"{name}_label"], classes) for name in ("given", "suggested")
    )
    wrong = (verdict == "wrong").to_numpy()
    return {
        **summary,
        "rows": len(table),
        "verdicts": {name: int((verdict == name).sum()) for name in VERDICTS},
        "by_class": {
            name: {
                **summary["by_class"][name],
                "rows": int((given == code).sum()),
                "wrong": int(wrong[given == code].sum()),
            }
            for code, name in enumerate(classes)
        },
        "worst_pairs": worst_pairs(given[wrong], suggested[wrong], classes),
        "reviewed": {name: int((decision == name).sum()) for name in DECISIONS},
    }
