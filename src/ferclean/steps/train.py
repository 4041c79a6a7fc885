"""Step ``train``: one round of a method's training."""

from __future__ import annotations

from pathlib import Path

from ferclean.errors import FercleanError
from ferclean.methods.runner import History, run_epochs
from ferclean.steps.relabelling import read_relabelling
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import RunFiles, open_training
from ferclean.steps.training_outputs import write_training_outputs
from ferclean.tables.partitions import read_partition


def train(
    files: RunFiles,
    *,
    checkpoint: Path,
    partition: Path,
    relabelled: Path,
    output: Path,
    round_number: int,
) -> None:
    """Train for one round from a checkpoint and the partition made with it.

    Parameters
    ----------
    files : RunFiles
        The run.
    checkpoint, partition, relabelled : Path
        Of the round before (of pretraining for round 1).
    output : Path
        Folder for ``checkpoint.pt``, ``history.csv``, ``timing.csv``, ``predictions.npz``.
    round_number : int
        From 1.
    """
    trainer = files.settings.training
    start = trainer.warm_up_epochs + (round_number - 1) * trainer.epochs_per_round
    with open_training(files, processes=files.settings.training.processes) as inputs:
        state = inputs.load_state(checkpoint)
        if state.epoch != start:
            raise FercleanError(
                f"{checkpoint} stands after epoch {state.epoch}, "
                f"but round {round_number} starts after epoch {start}"
            )
        sample_id = inputs.training.frame["sample_id"].to_numpy()
        split = (
            read_partition(partition, inputs.training.classes, sample_id),
            read_relabelling(relabelled, inputs.training),
        )
        given = [*files.paths, checkpoint, partition, relabelled]
        resume = ResumeFile("train", inputs, given, {"start": start})
        state, history = resume.load() or (state, History())
        run_epochs(
            inputs.run,
            state,
            history,
            until=start + trainer.epochs_per_round,
            first_split=split if state.epoch == start else None,
            after_epoch=resume.save,
        )
        write_training_outputs(output, inputs, state, history)
        resume.remove()
