"""The label table of a round: what a recipe decided, as columns beside the training rows."""

from __future__ import annotations

from pathlib import Path

from ferclean.errors import FercleanError
from ferclean.relabel.decision import Relabelling
from ferclean.tables.labels import LabelTable, labels_from_codes, read_label_table


def add_relabelling(table: LabelTable, decided: Relabelling) -> LabelTable:
    """Return a training table with a round's columns."""
    distribution = {f"p_{name}": decided.distribution[:, k] for k, name in enumerate(table.classes)}
    return table.with_columns(
        clean_probability=decided.clean_probability,
        label=labels_from_codes(decided.label, table.classes),
        **distribution,
        weight=decided.weight,
        action=decided.action,
        reason=decided.reason,
    )


def read_relabelling(path: Path, table: LabelTable) -> Relabelling:
    """Read back a round's decisions for the rows of a training table.

    Raises
    ------
    FercleanError
        If the file describes other rows.
    """
    found = read_label_table(path)
    if not found.frame["sample_id"].equals(table.frame["sample_id"]):
        raise FercleanError(f"{path} describes other rows than the label table")
    return Relabelling(
        distribution=found.matrix("p_").astype("float32"),
        clean_probability=found.frame["clean_probability"].to_numpy(),
        label=found.codes("label"),
        weight=found.frame["weight"].to_numpy(),
        action=found.frame["action"].to_numpy(dtype=str),
        reason=found.frame["reason"].to_numpy(dtype=str),
    )
