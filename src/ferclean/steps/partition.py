"""Step ``partition``: how likely each observed label is right, by a checkpoint's networks."""

from __future__ import annotations

from pathlib import Path

from ferclean.methods.runner import split_rows
from ferclean.steps.training_inputs import RunFiles, open_training
from ferclean.tables.partitions import write_partition


def partition(files: RunFiles, *, checkpoint: Path, output: Path) -> None:
    """Look at every training picture and write the recipe's partition.

    Parameters
    ----------
    files : RunFiles
        The run.
    checkpoint : Path
        Networks and memory.
    output : Path
        The Parquet file to write.
    """
    with open_training(files) as inputs:
        found, _ = split_rows(inputs.run, inputs.load_state(checkpoint))
        sample_id = inputs.training.frame["sample_id"].to_numpy()
        write_partition(found, sample_id, inputs.training.classes, output)
