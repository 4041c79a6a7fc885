"""Steps that train: warm-up, then rounds of partition and training."""

from __future__ import annotations

import typer

from ferclean.cli.options import (
    STEPS_PANEL,
    Checkpoint,
    Device,
    Faces,
    Labels,
    Method,
    OutputFolder,
    ParamsFile,
    PartitionFile,
    Relabelled,
    RoundNumber,
    Seed,
    SideInputs,
    WordVectors,
    named_files,
)
from ferclean.cli.processes import run_by_several
from ferclean.config.load import load_settings
from ferclean.config.steps import STEP_SECTIONS


def semantic_embedding(
    *,
    faces: Faces,
    labels: Labels,
    word_vectors: WordVectors,
    output: OutputFolder,
    seed: Seed = 0,
    device: Device = "auto",
    params: ParamsFile = "params.yaml",
) -> None:
    """Tie the faces to the class words by an auto-encoder."""
    settings = load_settings(params, STEP_SECTIONS["semantic-embedding"])
    from ferclean.steps.semantic_embedding import semantic_embedding as step

    step(
        faces=faces,
        labels=labels,
        word_vectors=word_vectors,
        output=output,
        seed=seed,
        device=device,
        settings=settings,
    )


def pretrain(
    *,
    faces: Faces,
    labels: Labels,
    output: OutputFolder,
    method: Method,
    seed: Seed = 0,
    device: Device = "auto",
    side_input: SideInputs = None,
    params: ParamsFile = "params.yaml",
) -> None:
    """Warm the networks up on the noisy labels."""
    settings = load_settings(params, STEP_SECTIONS["pretrain"])
    if run_by_several(settings.training.processes):
        return
    from ferclean.steps.pretrain import pretrain as step
    from ferclean.steps.training_inputs import RunFiles

    files = RunFiles(faces, labels, method, seed, device, settings, named_files(side_input))
    step(files, output=output)


def partition(
    *,
    faces: Faces,
    labels: Labels,
    checkpoint: Checkpoint,
    output: OutputFolder,
    method: Method,
    seed: Seed = 0,
    device: Device = "auto",
    side_input: SideInputs = None,
    params: ParamsFile = "params.yaml",
) -> None:
    """Say of every training label how likely it is right, and what becomes of it."""
    settings = load_settings(params, STEP_SECTIONS["partition"])
    from ferclean.steps.partition import partition as step
    from ferclean.steps.training_inputs import RunFiles

    files = RunFiles(faces, labels, method, seed, device, settings, named_files(side_input))
    step(files, checkpoint=checkpoint, output=output)


def train(
    *,
    faces: Faces,
    labels: Labels,
    checkpoint: Checkpoint,
    partition: PartitionFile,
    relabelled: Relabelled,
    output: OutputFolder,
    method: Method,
    round_number: RoundNumber,
    seed: Seed = 0,
    device: Device = "auto",
    side_input: SideInputs = None,
    params: ParamsFile = "params.yaml",
) -> None:
    """Train for one round; a killed call goes on where it stood."""
    settings = load_settings(params, STEP_SECTIONS["train"])
    if run_by_several(settings.training.processes):
        return
    from ferclean.steps.train import train as step
    from ferclean.steps.training_inputs import RunFiles

    files = RunFiles(faces, labels, method, seed, device, settings, named_files(side_input))
    step(
        files,
        checkpoint=checkpoint,
        partition=partition,
        relabelled=relabelled,
        output=output,
        round_number=round_number,
    )


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (semantic_embedding, pretrain, partition, train):
        app.command(rich_help_panel=STEPS_PANEL)(command)
