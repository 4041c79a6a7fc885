"""``ferclean doctor`` and ``unpack``: have everything there that the workflow needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferclean.cli.options import PEOPLE_PANEL
from ferclean.errors import FercleanError

if TYPE_CHECKING:
    from ferclean.cli.checks import Check

_STYLES = {"ok": "green", "note": "yellow", "missing": "bold red"}


def doctor(
    *,
    params: Annotated[Path, typer.Option(help="Settings to check.")] = Path("params.yaml"),
    data: Annotated[
        str | None,
        typer.Option(help="Check a published data set of this name instead, see data.source."),
    ] = None,
    path: Annotated[Path | None, typer.Argument(help="Its folder.")] = None,
    variant: Annotated[
        str | None, typer.Option(help="Which of its variants, see data.variant.")
    ] = None,
) -> None:
    """Check this machine and the settings; exit code 1 when something needed is missing."""
    if (data is None) != (path is None) or (variant is not None and data is None):
        raise FercleanError(
            "ferclean doctor --data needs a name and a folder, as in: rafdb data/raw"
        )
    from ferclean.cli.checks import Check, all_checks

    if data is None or path is None:
        _show(all_checks(params.absolute()))
        return
    from ferclean.steps.check_data import check_data

    _show([Check(each.status, each.name, each.found) for each in check_data(data, path, variant)])


def unpack(
    archives: Annotated[list[Path], typer.Argument(help="ZIP or TAR archives.")],
    to: Annotated[Path, typer.Option(help="Folder to unpack into.")],
) -> None:
    """Unpack a data set's archives; none may write outside of the folder or fill the disk."""
    from ferclean.steps.unpack import unpack as step

    step(archives, to)


def _show(checks: Sequence[Check]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, pad_edge=False)
    for heading in ("", "check", "found"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        # Text, not markup: a path may hold square brackets.
        table.add_row(
            Text(check.status, _STYLES[check.status]), Text(check.name), Text(check.found)
        )
    Console().print(table)
    if any(check.status == "missing" for check in checks):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=PEOPLE_PANEL)(doctor)
    app.command(rich_help_panel=PEOPLE_PANEL)(unpack)
