"""All training steps of one run in this process, through the same files as the workflow's.

Benchmarks and tests use it where starting a process a step would only cost time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ferclean.config.load import Settings
from ferclean.steps.partition import partition
from ferclean.steps.pretrain import pretrain
from ferclean.steps.relabel import relabel
from ferclean.steps.train import train


def train_all_rounds(
    *,
    faces: Path,
    labels: Path,
    pretrained: Path,
    denoised: Path,
    method: str,
    seed: int,
    device: str,
    settings: Settings,
) -> None:
    """Pretrain, then partition, relabel and train in turn for every round.

    Parameters
    ----------
    faces, labels : Path
        Face pack and label table.
    pretrained, denoised : Path
        Folders for the warm-up's outputs and for ``round_0`` to ``round_R``.
    method, seed, device, settings
        As in the steps.
    """
    common: dict[str, Any] = {"method": method, "settings": settings}
    where: dict[str, Any] = {"faces": faces, "labels": labels, "seed": seed, "device": device}
    pretrain(output=pretrained, **where, **common)
    previous = pretrained
    for number in range(settings.training.rounds + 1):
        folder = denoised / f"round_{number}"
        if number > 0:
            train(
                checkpoint=previous / "checkpoint.pt",
                partition=denoised / f"round_{number - 1}" / "partition.parquet",
                relabelled=denoised / f"round_{number - 1}" / "labels.parquet",
                output=folder,
                round_number=number,
                **where,
                **common,
            )
            previous = folder
        partition(
            checkpoint=previous / "checkpoint.pt",
            output=folder / "partition.parquet",
            **where,
            **common,
        )
        relabel(
            labels=labels,
            partition=folder / "partition.parquet",
            output=folder / "labels.parquet",
            **common,
        )
