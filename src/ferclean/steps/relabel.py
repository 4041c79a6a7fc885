"""Step ``relabel``: from a partition to the label table of a round."""

from __future__ import annotations

from pathlib import Path

from ferclean.config.load import Settings
from ferclean.errors import FercleanError
from ferclean.methods.registry import build_recipe
from ferclean.progress import say
from ferclean.relabel.decision import Relabelling
from ferclean.tables.labels import (
    ACTIONS,
    LabelTable,
    labels_from_codes,
    read_label_table,
    read_training_table,
    write_label_table,
)
from ferclean.tables.partitions import read_partition


def relabel(
    *, labels: Path, partition: Path, output: Path, method: str, settings: Settings
) -> None:
    """Write what the recipe now holds of every training row's label.

    Parameters
    ----------
    labels : Path
        Label table of the noise step; only its training columns are read.
    partition : Path
        Partition of the same rows.
    output : Path
        Label table to write: one row a training row.
    method : str
        Name of the recipe.
    settings : Settings
        Section ``methods``.
    """
    table = read_training_table(labels)
    table = table.take(table.in_split("train"))
    found = read_partition(partition, table.classes, table.frame["sample_id"].to_numpy())
    decided = build_recipe(method, settings.methods).relabel(found, table.codes("observed"))
    counts = {action: int((decided.action == action).sum()) for action in ACTIONS}
    say(f"{method}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    write_label_table(add_relabelling(table, decided), output)


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
