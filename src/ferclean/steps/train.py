"""Step ``train``: one round of a method's training."""

from __future__ import annotations

from pathlib import Path

from ferclean.config.load import Settings
from ferclean.errors import FercleanError
from ferclean.methods.runner import History, run_epochs
from ferclean.steps.relabel import read_relabelling
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import open_training
from ferclean.steps.training_outputs import write_training_outputs
from ferclean.tables.partitions import read_partition


def train(
    *,
    faces: Path,
    labels: Path,
    checkpoint: Path,
    partition: Path,
    relabelled: Path,
    output: Path,
    method: str,
    round_number: int,
    seed: int,
    device: str,
    settings: Settings,
) -> None:
    """Train for one round from a checkpoint and the partition made with it.

    Parameters
    ----------
    faces, labels : Path
        As in pretraining.
    checkpoint, partition, relabelled : Path
        Of the round before (of pretraining for round 1).
    output : Path
        Folder for ``checkpoint.pt``, ``history.csv``, ``timing.csv``, ``predictions.npz``.
    round_number : int
        From 1.
    method, seed, device, settings
        As in pretraining.
    """
    trainer = settings.training
    start = trainer.warm_up_epochs + (round_number - 1) * trainer.epochs_per_round
    with open_training(
        faces=faces, labels=labels, method=method, seed=seed, device=device, settings=settings
    ) as inputs:
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
        files = [faces, labels, checkpoint, partition, relabelled]
        resume = ResumeFile("train", inputs, files, {"start": start})
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
