"""``ferclean audit``: say which labels are wrong, and how sure that is."""

from __future__ import annotations

from typing import Annotated

import typer

from ferclean.cli.options import PEOPLE_PANEL, GivenLabelsFile, OutputFolder, ProbabilityFiles


def audit(
    *,
    labels: GivenLabelsFile,
    pred_probs: ProbabilityFiles,
    out: OutputFolder,
    classes: Annotated[
        str | None,
        typer.Option(help="Names of the probabilities' columns in order, with commas between."),
    ] = None,
    label_column: Annotated[str, typer.Option(help="Column of the labels.")] = "label",
) -> None:
    """Find wrong labels by probabilities; writes audit.csv, audit.parquet and audit.json."""
    from ferclean.steps.audit import audit_files

    audit_files(
        labels=labels,
        probabilities=pred_probs,
        output=out,
        classes=[name.strip() for name in classes.split(",")] if classes else None,
        label_column=label_column,
    )


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel=PEOPLE_PANEL)(audit)
