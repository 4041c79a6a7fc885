"""Step ``partition``: how likely each observed label is right, by a checkpoint's networks."""

from __future__ import annotations

from pathlib import Path

from ferclean.config.load import Settings
from ferclean.methods.runner import split_rows
from ferclean.steps.training_inputs import open_training
from ferclean.tables.partitions import write_partition


def partition(
    *,
    faces: Path,
    labels: Path,
    checkpoint: Path,
    output: Path,
    method: str,
    seed: int,
    device: str,
    settings: Settings,
) -> None:
    """Look at every training picture and write the recipe's partition.

    Parameters
    ----------
    faces, labels : Path
        As in pretraining.
    checkpoint : Path
        Networks and memory.
    output : Path
        The Parquet file to write.
    method, seed, device, settings
        As in pretraining.
    """
    with open_training(
        faces=faces, labels=labels, method=method, seed=seed, device=device, settings=settings
    ) as inputs:
        found, _ = split_rows(inputs.run, inputs.load_state(checkpoint))
        sample_id = inputs.training.frame["sample_id"].to_numpy()
        write_partition(found, sample_id, inputs.training.classes, output)
