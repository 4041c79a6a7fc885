"""What people decided: kept apart from what a method is measured by, and above it in the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ferclean.evaluate.repair import label_accuracy
from ferclean.evaluate.truth import true_codes
from ferclean.tables.labels import LabelTable, labels_from_codes
from ferclean.tables.review import AMBIGUOUS, NOT_A_FACE, decided_rows

_REASONS = {
    AMBIGUOUS: "a person calls the face ambiguous",
    NOT_A_FACE: "a person sees no face",
}


def with_decisions(repaired: LabelTable) -> LabelTable:
    """Let people's decisions win over the method's in a repaired label table.

    Parameters
    ----------
    repaired : LabelTable
        See :func:`~ferclean.evaluate.rounds.repaired_table`.

    Returns
    -------
    LabelTable
        The same table where nobody decided. A decided label is the ``label`` and the
        ``suggested_label``, with all probability and full weight. An ambiguous face keeps its
        observed label and the method's ``p_<class>``. What is no face has the action ``drop``.
        The label and clean probability of every round stay as the method left them.
    """
    decided = decided_rows(repaired.frame) & ~repaired.in_split("val", "test")
    if not decided.any():
        return repaired
    frame, classes = repaired.frame.copy(), repaired.classes
    decision, label = frame["reviewed_decision"], repaired.codes("reviewed_label")
    named = decided & (label >= 0)
    ambiguous, no_face = decided & (decision == AMBIGUOUS), decided & (decision == NOT_A_FACE)
    final = np.where(named, label, np.where(ambiguous, repaired.codes("observed"), -1))
    for column in ("suggested_label", "label"):
        codes = np.where(decided, final, repaired.codes(column))
        frame[column] = labels_from_codes(codes, classes)
    for code, name in enumerate(classes):
        frame.loc[named, f"p_{name}"] = (label[named] == code).astype(np.float64)
    frame.loc[named, ["label_quality", "weight"]] = 1.0
    frame.loc[no_face, "weight"] = 0.0
    changed = named & (label != repaired.codes("before_review"))
    frame.loc[decided, "action"] = np.select(
        [changed, named, ambiguous], ["relabel", "keep", "soften"], default="drop"
    )[decided]
    told = decision.map(_REASONS).fillna("a person decided so")
    frame["reason"] = frame["reason"].mask(pd.Series(decided), told)
    return LabelTable(frame, classes, repaired.dataset)


def review_metrics(base: LabelTable, repaired: LabelTable) -> dict[str, Any]:
    """Count the rows that people decided, and measure them beside the method's.

    Returns
    -------
    dict
        Empty where no decisions were read at all. ``reviewed_rows`` of the training rows and of
        those taken out of training; ``reviewed_label_accuracy`` of the labels that people named;
        ``label_accuracy_with_review`` of the repaired table as a whole. The latter two are
        ``None`` where the truth is unknown.
    """
    if "reviewed_decision" not in base.frame:
        return {}
    in_training = (base.frame["split_before_review"] == "train").to_numpy()
    decided, true = decided_rows(base.frame) & in_training, true_codes(base)
    named = np.where(decided, base.codes("reviewed_label"), -1)
    return {
        "reviewed_rows": int(decided.sum()),
        "reviewed_label_accuracy": label_accuracy(named, true),
        "label_accuracy_with_review": label_accuracy(repaired.codes("label"), true),
    }
