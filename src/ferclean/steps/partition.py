"""Step ``partition``: what a checkpoint's networks say of every label, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

from ferclean.methods.runner import split_rows
from ferclean.progress import say
from ferclean.steps.relabelling import add_relabelling
from ferclean.steps.training_inputs import RunFiles, open_training
from ferclean.tables.labels import ACTIONS, write_label_table
from ferclean.tables.partitions import write_partition


def partition(files: RunFiles, *, checkpoint: Path, output: Path) -> None:
    """Look at every training picture; write the recipe's partition and its label table.

    Parameters
    ----------
    files : RunFiles
        The run.
    checkpoint : Path
        Networks and memory.
    output : Path
        Folder for ``partition.parquet``, how likely each observed label is right, and
        ``labels.parquet``, the round's label table; one row a training row each.
    """
    with open_training(files) as inputs:
        found, decided = split_rows(inputs.run, inputs.load_state(checkpoint))
        table = inputs.training
        sample_id = table.frame["sample_id"].to_numpy()
        write_partition(found, sample_id, table.classes, output / "partition.parquet")
        counts = {action: int((decided.action == action).sum()) for action in ACTIONS}
        say(f"{files.method}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
        write_label_table(add_relabelling(table, decided), output / "labels.parquet")
