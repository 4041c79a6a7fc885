"""``ferclean doctor``: say whether everything is there that the workflow needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferclean.cli.options import PEOPLE_PANEL

_STYLES = {"ok": "green", "note": "yellow", "missing": "bold red"}


def doctor(
    *,
    params: Annotated[Path, typer.Option(help="Settings to check.")] = Path("params.yaml"),
) -> None:
    """Check this machine and the settings; exit code 1 when something needed is missing."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ferclean.cli.checks import all_checks

    table = Table(show_edge=False, pad_edge=False)
    for heading in ("", "check", "found"):
        table.add_column(heading, overflow="fold")
    checks = all_checks(params.absolute())
    for check in checks:
        # Text, not markup: a path may hold square brackets.
        table.add_row(
            Text(check.status, _STYLES[check.status]), Text(check.name), Text(check.found)
        )
    Console().print(table)
    if any(check.status == "missing" for check in checks):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel=PEOPLE_PANEL)(doctor)
