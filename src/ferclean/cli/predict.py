"""Commands that use a trained model: on photographs, and in other programs."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferclean.cli.options import PEOPLE_PANEL, Device, OutputFolder, PhotoNames
from ferclean.errors import FercleanError
from ferclean.progress import say

if TYPE_CHECKING:
    from rich.table import Table

_EXIT_UNREADABLE = 1
# The table also shows where the faces are from so many columns on.
_WIDE = 110
_BOX_COLUMNS = ("at", "size", "detected")


def predict(
    photos: PhotoNames,
    *,
    model: Annotated[
        Path | None,
        typer.Option(
            help="checkpoint.pt of a run, or what export-model wrote; else the one run in results."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines: one object a photograph.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV: one row a face.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(help="New folder for the photographs with boxes and labels.")
    ] = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are cut faces already.")
    ] = False,
    margin: Annotated[
        float | None,
        typer.Option(help="Context around a face as a share of its size, else as in training."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Say what every face in photographs expresses; exit code 1 if one cannot be read."""
    if as_json and as_csv:
        raise FercleanError("--json and --csv exclude each other")
    if margin is not None and (aligned or not 0 <= margin <= 1):
        raise FercleanError("--margin must lie between 0 and 1, and goes without --aligned")
    from ferclean.steps.predict import predict as step

    found = step(
        photos, model=model, aligned=aligned, margin=margin, annotate=annotate, device=device
    )
    counts = {"photos": 0, "faces": 0, "no_face": 0, "unreadable": 0}
    show = _json_lines if as_json else _csv_rows if as_csv else _screen
    show(_counted(found.photos, counts), found.classes, found.doubts)
    say(
        f"{counts['photos']} photographs: {counts['faces']} faces, {counts['no_face']} without a "
        f"face, {counts['unreadable']} cannot be read"
    )
    if counts["unreadable"]:
        raise typer.Exit(_EXIT_UNREADABLE)


def _counted(photos: Iterable[Any], counts: dict[str, int]) -> Iterable[Any]:
    for photo in photos:
        counts["photos"] += 1
        counts["faces"] += len(photo.faces)
        if photo.status != "faces":
            counts[photo.status] += 1
        yield photo


def _json_lines(photos: Iterable[Any], classes: tuple[str, ...], doubts: tuple[str, ...]) -> None:
    for photo in photos:
        print(json.dumps(photo.as_dict(), ensure_ascii=False, allow_nan=False), flush=True)


def _csv_rows(photos: Iterable[Any], classes: tuple[str, ...], doubts: tuple[str, ...]) -> None:
    from ferclean.steps.predict import table_columns, table_rows

    columns = table_columns(classes, doubts)
    # Python's writer leaves a carriage return (file names may have one) without quotes.
    plain, quoted = (
        csv.DictWriter(sys.stdout, columns, restval="", lineterminator="\n", quoting=quoting)
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )
    plain.writeheader()
    for photo in photos:
        for row in table_rows(photo):
            (quoted if any("\r" in str(value) for value in row.values()) else plain).writerow(row)
        sys.stdout.flush()


def _screen(photos: Iterable[Any], classes: tuple[str, ...], doubts: tuple[str, ...]) -> None:
    from rich.console import Console

    console = Console()
    console.print(_table(list(photos), doubts, wide=console.width >= _WIDE))


def _table(photos: list[Any], doubts: tuple[str, ...], *, wide: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, pad_edge=False)
    table.add_column("photograph", overflow="fold")
    for heading in ("face", *(_BOX_COLUMNS if wide else ())):
        table.add_column(heading, justify="right")
    table.add_column("label", style="bold")
    table.add_column("score", justify="right")
    table.add_column("next", no_wrap=True)
    for heading in doubts:
        table.add_column(heading, justify="right")
    blank = [""] * (len(_BOX_COLUMNS) if wide else 0)
    for photo, shown in zip(photos, _short_paths([photo.path for photo in photos]), strict=True):
        # Text, not markup: a path may hold square brackets.
        path = Text(shown)
        if not photo.faces:
            told = photo.reason or "no face found"
            style = "red" if photo.reason else "yellow"
            table.add_row(path, "", *blank, Text(told, style))
        for number, face in enumerate(photo.faces, start=1):
            cells = [*(_box_cells(face) if wide else ()), *_score_cells(face)]
            table.add_row(path if number == 1 else Text(), str(number), *cells)
    return table


def _short_paths(paths: list[str]) -> list[str]:
    """Leave out the folder that all have in common."""
    whole = [Path(path).absolute() for path in paths]
    folder = os.path.commonpath([path.parent for path in whole])
    if folder == Path(folder).anchor:
        return paths
    return [str(path.relative_to(folder)) for path in whole]


def _box_cells(face: Any) -> list[str]:
    """Say where the face is, how large, and how sure the detector is of it."""
    if face.box is None:
        return ["-"] * len(_BOX_COLUMNS)
    left, top, right, bottom = (round(value) for value in face.box)
    return [f"{left},{top}", f"{right - left}x{bottom - top}", f"{face.detection_score:.0%}"]


def _score_cells(face: Any) -> list[str]:
    (label, score), (second, rest), *_ = sorted(face.scores.items(), key=lambda pair: -pair[1])
    numbers = [f"{value:.2f}" for value in face.uncertainty.values()]
    return [label, f"{score:.0%}", f"{second} {rest:.0%}", *numbers]


def export_model(
    *,
    model: Annotated[
        Path | None, typer.Option(help="checkpoint.pt of a run; else the one run in results.")
    ] = None,
    out: OutputFolder,
    onnx: Annotated[bool, typer.Option("--onnx", help="Write model.onnx as well.")] = False,
) -> None:
    """Write a model for use elsewhere: safetensors and a side-car, and with --onnx a graph."""
    from ferclean.steps.export_model import export_model as step

    step(model=model, output=out, onnx=onnx)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (predict, export_model):
        app.command(rich_help_panel=PEOPLE_PANEL)(command)
