"""The command that opens an audit's review page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferclean.cli.options import PEOPLE_PANEL, AuditFolder, DecisionsFile, Port


def review(
    audit: AuditFolder,
    *,
    decisions: DecisionsFile = Path("data/review/review.csv"),
    reviewer: Annotated[
        str | None, typer.Option(help="Name beside your decisions; else your login name.")
    ] = None,
    port: Port = 0,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Decide about doubtful labels face by face, in the browser."""
    from ferclean.steps.review import review as serve

    serve(audit=audit, decisions=decisions, reviewer=reviewer, port=port, open_browser=open_browser)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel=PEOPLE_PANEL)(review)
