"""All training steps of one run in this process, through the same files as the workflow's.

Benchmarks and tests use it where starting a process a step would only cost time.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ferclean.steps.partition import partition
from ferclean.steps.pretrain import pretrain
from ferclean.steps.train import train
from ferclean.steps.training_inputs import RunFiles


def train_all_rounds(files: RunFiles, *, pretrained: Path, denoised: Path) -> None:
    """Pretrain, then partition and train in turn for every round.

    In this process alone, whatever ``training.processes`` says.

    Parameters
    ----------
    files : RunFiles
        The run.
    pretrained, denoised : Path
        Folders for the warm-up's outputs and for ``round_0`` to ``round_R``.
    """
    alone = replace(files.settings.training, processes=1)
    files = replace(files, settings=files.settings.with_section("training", alone))
    pretrain(files, output=pretrained)
    previous = pretrained
    for number in range(files.settings.training.rounds + 1):
        folder = denoised / f"round_{number}"
        if number > 0:
            before = denoised / f"round_{number - 1}"
            train(
                files,
                checkpoint=previous / "checkpoint.pt",
                partition=before / "partition.parquet",
                relabelled=before / "labels.parquet",
                output=folder,
                round_number=number,
            )
            previous = folder
        partition(files, checkpoint=previous / "checkpoint.pt", output=folder)
