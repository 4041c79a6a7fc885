"""``ferclean review``: look at doubtful labels in the browser; decisions go to a file."""

from __future__ import annotations

import getpass
import webbrowser
from pathlib import Path

from ferclean.errors import FercleanError
from ferclean.progress import say
from ferclean.steps.review_page import FOLDER, PAGE
from ferclean.steps.review_server import DecisionFile, ReviewServer


def review(
    *, audit: Path, decisions: Path, reviewer: str | None, port: int, open_browser: bool
) -> None:
    """Serve an audit's review page until the call is interrupted.

    Parameters
    ----------
    audit : Path
        Folder of an audit of pictures.
    decisions : Path
        ``review.csv``, read if it is there and written with every decision.
    reviewer : str, optional
        Name beside the decisions; the login name where it is not given.
    port : int
        0 takes a free one.
    open_browser : bool
        Open the page.

    Raises
    ------
    FercleanError
        If there is no review page, the file holds something else, or the port is taken.
    """
    page = find_page(audit)
    file = DecisionFile(decisions)
    found = file.read()
    with ReviewServer(page, file, reviewer=reviewer or _login(), port=port) as server:
        say(f"{len(found):,} decisions in {decisions}; every further one is saved there at once")
        say(f"review the labels at {server.address} (Ctrl C ends)")
        if open_browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say(f"{len(file.read()):,} decisions in {decisions}")


def find_page(audit: Path) -> Path:
    """Return the folder of the review page in an audit's folder."""
    if (audit / FOLDER / PAGE).is_file():
        return audit / FOLDER
    raise FercleanError(
        f"{audit} holds no review page: make one with ferclean audit --data or snakemake audit"
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user, as in some containers
        return "unnamed"
