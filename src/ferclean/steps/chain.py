"""All training steps of one run in this process, through the same files as the workflow's.

``ferclean audit --data`` trains by it, and so do benchmarks and tests: starting a process a step
would only cost time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ferclean.steps.partition import partition as judge_labels
from ferclean.steps.pretrain import pretrain
from ferclean.steps.train import train
from ferclean.steps.training_inputs import RunFiles

# Name of a part of the chain, the step that it is, the files it leaves, and the work.
Once = Callable[[str, str, list[Path], Callable[[], None]], None]


def _always(part: str, step: str, outputs: list[Path], work: Callable[[], None]) -> None:
    work()


def train_all_rounds(
    files: RunFiles, *, pretrained: Path, denoised: Path, once: Once = _always
) -> None:
    """Pretrain, then partition and train in turn for every round.

    In this process alone, whatever ``training.processes`` says.

    Parameters
    ----------
    files : RunFiles
        The run.
    pretrained, denoised : Path
        Folders for the warm-up's outputs and for ``round_0`` to ``round_R``.
    once : callable
        Called for every part in turn; does its work, or finds it done.
    """
    alone = replace(files.settings.training, processes=1)
    files = replace(files, settings=files.settings.with_section("training", alone))
    previous, model = pretrained, "checkpoint.pt"
    warm_up = partial(pretrain, files, output=pretrained)
    once("pretrain", "pretrain", [pretrained / model], warm_up)
    for number in range(files.settings.training.rounds + 1):
        folder = denoised / f"round_{number}"
        if number > 0:
            before = denoised / f"round_{number - 1}"
            learn = partial(
                train,
                files,
                checkpoint=previous / model,
                partition=before / "partition.parquet",
                relabelled=before / "labels.parquet",
                output=folder,
                round_number=number,
            )
            once(f"train_{number}", "train", [folder / model], learn)
            previous = folder
        judge = partial(judge_labels, files, checkpoint=previous / model, output=folder)
        tables = [folder / "partition.parquet", folder / "labels.parquet"]
        once(f"partition_{number}", "partition", tables, judge)
