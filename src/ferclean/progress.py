"""Progress a person can follow: a bar on a terminal, plain lines in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

T = TypeVar("T")
_LINES_PER_TASK = 10


def say(text: str) -> None:
    """Print one line to standard error, at once."""
    print(text, file=sys.stderr, flush=True)


def track(items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """Yield the items; show a bar on a terminal, else about ten lines with the time left.

    Parameters
    ----------
    items : iterable
        What is worked through.
    description : str
        What is being done, for the bar or the lines.
    total : int
        Number of items.

    Yields
    ------
    T
        The items in order.
    """
    if sys.stderr.isatty():
        console = Console(stderr=True)
        with Progress(console=console, transient=True) as progress:
            yield from progress.track(items, total=total, description=description)
        return
    start, every = time.monotonic(), max(1, -(-total // _LINES_PER_TASK))
    for count, item in enumerate(items, start=1):
        yield item
        if count % every == 0 or count == total:
            elapsed = time.monotonic() - start
            left = elapsed / count * (total - count)
            say(f"{description}: {count}/{total}, {elapsed:.0f} s, {left:.0f} s left")
