"""Steps from a data set to noisy labels, and the word vectors."""

from __future__ import annotations

import typer

from ferclean.cli.options import (
    STEPS_PANEL,
    Faces,
    Kind,
    OutputFolder,
    ParamsFile,
    Pictures,
    Rate,
    Samples,
    Seed,
)
from ferclean.config.load import load_settings
from ferclean.config.steps import STEP_SECTIONS


def ingest(*, output: OutputFolder, params: ParamsFile = "params.yaml") -> None:
    """Read the data set: one sample table, one pack of pictures, and what was set aside."""
    settings = load_settings(params, STEP_SECTIONS["ingest"])
    from ferclean.steps.ingest import ingest as step

    step(output=output, settings=settings)


def align(
    *,
    samples: Samples,
    pictures: Pictures,
    output: OutputFolder,
    params: ParamsFile = "params.yaml",
) -> None:
    """Find the faces and warp each to the same place in one pack."""
    settings = load_settings(params, STEP_SECTIONS["align"])
    from ferclean.steps.align import align as step

    step(samples=samples, pictures=pictures, output=output, settings=settings)


def inject_noise(
    *,
    samples: Samples,
    faces: Faces,
    output: OutputFolder,
    kind: Kind,
    rate: Rate = 0.0,
    seed: Seed = 0,
    params: ParamsFile = "params.yaml",
) -> None:
    """Draw the observed labels that training will see."""
    settings = load_settings(params, STEP_SECTIONS["inject-noise"])
    from ferclean.steps.inject_noise import inject_noise as step

    step(
        samples=samples,
        faces=faces,
        output=output,
        kind=kind,
        rate=rate,
        seed=seed,
        settings=settings,
    )


def word_vectors(*, output: OutputFolder, params: ParamsFile = "params.yaml") -> None:
    """Turn the class words into vectors and draw how alike they are."""
    settings = load_settings(params, STEP_SECTIONS["word-vectors"])
    from ferclean.steps.word_vectors import word_vectors as step

    step(output=output, settings=settings)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (ingest, align, inject_noise, word_vectors):
        app.command(rich_help_panel=STEPS_PANEL)(command)
