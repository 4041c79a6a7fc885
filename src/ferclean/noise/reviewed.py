"""Bring people's decisions into the order of the samples, and let them win."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ferclean.errors import FercleanError
from ferclean.noise.inject import NOISY_SPLITS
from ferclean.tables.labels import EXCLUDED, LabelTable, labels_from_codes
from ferclean.tables.review import DECISIONS, NOT_A_FACE, Decision


def with_review(
    table: LabelTable, decisions: Sequence[Decision], *, compare_given: bool, source: str
) -> tuple[LabelTable, dict[str, Any]]:
    """Lay decisions over a table of observed labels.

    Parameters
    ----------
    table : LabelTable
        With ``observed``.
    decisions : sequence of Decision
        At most one a sample.
    compare_given : bool
        Whether a decision about another label than the row carries is stale: it is counted and
        left out. Of an injected label the file need not know, so there it is not asked.
    source : str
        Names the file in messages.

    Returns
    -------
    table : LabelTable
        ``observed`` is the decided label in the splits ``train`` and ``val``; faces that are none
        leave them for the split ``excluded``. Test rows stay as they are: what measures a run
        must not follow what the run suggested. New columns, null in rows without a decision, are
        ``reviewed_decision``, ``reviewed_label``, ``reviewed_by``, ``reviewed_at``,
        ``before_review`` (the label that would have been observed) and ``split_before_review``.
    summary : dict
        JSON-able: how many rows were decided, by decision, how many of these are test rows, how
        many decisions are stale, and how many name no sample of the table.

    Raises
    ------
    FercleanError
        If a label is none of the classes, or no decision names a sample of the table.
    """
    row_of = {name: row for row, name in enumerate(table.frame["sample_id"])}
    code_of = {name: code for code, name in enumerate(table.classes)}
    observed = table.codes("observed")
    taken: dict[int, Decision] = {}
    stale = []
    for each in decisions:
        if each.label and each.label not in code_of:
            raise FercleanError(
                f"{source}: label {each.label!r} of {each.sample_id!r} is none of the classes "
                f"({', '.join(table.classes)})"
            )
        row = row_of.get(each.sample_id)
        if row is None:
            continue
        if compare_given and code_of.get(each.given, -1) != observed[row]:
            stale.append(each.sample_id)
        else:
            taken[row] = each
    if decisions and not taken and not stale:
        raise FercleanError(
            f"{source} decides about no sample of this data set; its first is "
            f"{decisions[0].sample_id!r}"
        )
    return _apply(table, taken, code_of), _summary(table, taken, len(decisions), stale)


def _apply(table: LabelTable, taken: dict[int, Decision], code_of: dict[str, int]) -> LabelTable:
    rows = np.array(sorted(taken), dtype=np.int64)
    each = [taken[row] for row in rows.tolist()]
    observed, noisy = table.codes("observed"), table.in_split(*NOISY_SPLITS)
    before, label = np.full(len(table), -1), np.full(len(table), -1)
    before[rows] = observed[rows]
    label[rows] = [code_of.get(one.label, -1) for one in each]
    texts = {
        "reviewed_decision": [one.decision for one in each],
        "reviewed_by": [one.reviewer for one in each],
        "reviewed_at": [one.time for one in each],
    }
    columns: dict[str, Any] = {}
    for name, values in texts.items():
        columns[name] = np.full(len(table), None, dtype=object)
        columns[name][rows] = values
    split = table.frame["split"].to_numpy(dtype=object, copy=True)
    columns["split_before_review"] = np.full(len(table), None, dtype=object)
    columns["split_before_review"][rows] = split[rows]
    split[noisy & (columns["reviewed_decision"] == NOT_A_FACE)] = EXCLUDED
    return table.with_columns(
        split=split,
        observed=labels_from_codes(np.where(noisy & (label >= 0), label, observed), table.classes),
        reviewed_label=labels_from_codes(label, table.classes),
        before_review=labels_from_codes(before, table.classes),
        **columns,
    )


def _summary(
    table: LabelTable, taken: dict[int, Decision], count: int, stale: list[str]
) -> dict[str, Any]:
    test = table.in_split("test")
    return {
        "decided": len(taken),
        **{name: sum(one.decision == name for one in taken.values()) for name in DECISIONS},
        "test_rows": int(sum(test[row] for row in taken)),
        "stale": len(stale),
        "first_stale": stale[0] if stale else None,
        "unknown": count - len(taken) - len(stale),
    }
