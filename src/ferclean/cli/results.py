"""Steps that measure and show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferclean.cli.options import (
    PEOPLE_PANEL,
    STEPS_PANEL,
    ExportedTable,
    ExportFormat,
    InputFolder,
    Labels,
    OutputFile,
    OutputFolder,
    ParamsFile,
    Rounds,
    Runs,
)
from ferclean.config.load import load_settings
from ferclean.config.steps import STEP_SECTIONS


def evaluate(
    *,
    labels: Labels,
    pretrain: InputFolder,
    denoise: InputFolder,
    rounds: Rounds,
    output: OutputFolder,
    params: ParamsFile = "params.yaml",
) -> None:
    """Measure one run: accuracy, calibration, wrong labels found, labels repaired."""
    settings = load_settings(params, STEP_SECTIONS["evaluate"])
    from ferclean.steps.evaluate import evaluate as step

    step(
        labels=labels,
        pretrain=pretrain,
        denoise=denoise,
        rounds=rounds,
        output=output,
        settings=settings,
    )


def summarise(*, evaluations: InputFolder, run: Runs, output: OutputFolder) -> None:
    """Put the metrics of all runs side by side."""
    from ferclean.steps.summarise import summarise as step

    step(evaluations=evaluations, run=run, output=output)


def report(
    *,
    prepare: InputFolder,
    noise: InputFolder,
    semantics: InputFolder,
    denoise: InputFolder,
    evaluations: InputFolder,
    summary: InputFolder,
    run: Runs,
    output: OutputFile,
    params: ParamsFile = "params.yaml",
) -> None:
    """Write one offline page about all runs."""
    settings = load_settings(params, STEP_SECTIONS["report"])
    from ferclean.steps.report import report as step

    step(
        prepare=prepare,
        noise=noise,
        semantics=semantics,
        denoise=denoise,
        evaluations=evaluations,
        summary=summary,
        run=run,
        output=output,
        settings=settings,
    )


def cards(
    *,
    prepare: InputFolder,
    noise: InputFolder,
    evaluations: InputFolder,
    summary: InputFolder,
    run: Runs,
    output: OutputFolder,
    params: ParamsFile = "params.yaml",
) -> None:
    """Write a card of the data set and one of every model: what to know before using them."""
    settings = load_settings(params, STEP_SECTIONS["cards"])
    from ferclean.steps.cards import cards as step

    step(
        prepare=prepare,
        noise=noise,
        evaluations=evaluations,
        summary=summary,
        run=run,
        output=output,
        settings=settings,
    )


def export(
    table: ExportedTable,
    *,
    form: ExportFormat,
    out: OutputFolder,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder that the table's paths start from, or pictures.arrow of ingest."),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Link to the pictures instead of copying them.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier export.")
    ] = False,
) -> None:
    """Write repaired labels for other programs, as one new folder."""
    from ferclean.steps.export import export as step

    step(table, form=form, output=out, pictures=pictures, link=link, overwrite=overwrite)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (evaluate, summarise, report, cards):
        app.command(rich_help_panel=STEPS_PANEL)(command)
    app.command(rich_help_panel=PEOPLE_PANEL)(export)
