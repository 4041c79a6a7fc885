"""Commands that say which labels are wrong, and how sure that is."""

from __future__ import annotations

from typing import Annotated

import typer

from ferclean.cli.options import (
    PEOPLE_PANEL,
    STEPS_PANEL,
    Checkpoint,
    DataPath,
    Device,
    DuplicatesFile,
    Faces,
    FeatureFile,
    GivenLabelsFile,
    Labels,
    Method,
    OtherPartitions,
    OutputFolder,
    ParamsFile,
    PartitionFile,
    ProbabilityFiles,
    ReviewFile,
    Seed,
    SideInputs,
    method_files,
    named_files,
)
from ferclean.config.load import load_settings
from ferclean.config.steps import STEP_SECTIONS
from ferclean.errors import FercleanError


def audit(
    *,
    out: OutputFolder,
    data: DataPath = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="With --data: the pictures are cut faces already.")
    ] = False,
    labels: GivenLabelsFile = None,
    pred_probs: ProbabilityFiles = None,
    features: FeatureFile = None,
    classes: Annotated[
        str | None,
        typer.Option(help="Names of the probabilities' columns in order, with commas between."),
    ] = None,
    label_column: Annotated[str, typer.Option(help="Column of the labels.")] = "label",
    seed: Seed = 0,
    device: Device = "auto",
    params: Annotated[
        str | None, typer.Option(help="With --data: settings instead of the preset audit.")
    ] = None,
    review: ReviewFile = None,
) -> None:
    """Find wrong labels: of pictures (--data), or by probabilities (--labels, --pred-probs)."""
    names = None if classes is None else [name.strip() for name in classes.split(",")]
    if names and not all(names):
        raise FercleanError("--classes must be names with commas between, none of them empty")
    if data is not None:
        if labels or pred_probs or features or label_column != "label":
            raise FercleanError("--data stands alone: its labels are those of the pictures")
        from ferclean.steps.audit_pictures import audit_pictures, picture_settings

        settings = picture_settings(
            data, classes=names, params=params, aligned=aligned, review=review
        )
        audit_pictures(
            settings=settings, output=out, seed=seed, device=device, fit_epochs=params is None
        )
        return
    if labels is None or not pred_probs:
        raise FercleanError("give --data, or --labels and --pred-probs")
    if aligned or params or review:
        raise FercleanError("--aligned, --params and --review go with --data")
    from ferclean.steps.audit import audit_files

    audit_files(
        labels=labels,
        probabilities=pred_probs,
        output=out,
        features=features,
        classes=names,
        label_column=label_column,
    )


def audit_run(
    *,
    faces: Faces,
    labels: Labels,
    checkpoint: Checkpoint,
    partition: PartitionFile,
    duplicates: DuplicatesFile,
    output: OutputFolder,
    method: Method,
    other: OtherPartitions = None,
    seed: Seed = 0,
    device: Device = "auto",
    side_input: SideInputs = None,
    params: ParamsFile = "params.yaml",
) -> None:
    """Say which training labels of a run are wrong, with the evidence for it."""
    settings = load_settings(params, STEP_SECTIONS["audit-run"])
    from ferclean.steps.audit_run import audit_run as step
    from ferclean.steps.training_inputs import RunFiles

    files = RunFiles(faces, labels, method, seed, device, settings, named_files(side_input))
    step(
        files,
        checkpoint=checkpoint,
        partition=partition,
        others=method_files(other),
        duplicates=duplicates,
        output=output,
    )


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=STEPS_PANEL)(audit_run)
    app.command(rich_help_panel=PEOPLE_PANEL)(audit)
