"""Progress a person can follow: a bar on a terminal, plain lines in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

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
        yield from bar(items, description, total)
        return
    start, every = time.monotonic(), max(1, -(-total // _LINES_PER_TASK))
    for count, item in enumerate(items, start=1):
        yield item
        if count % every == 0 or count == total:
            elapsed = time.monotonic() - start
            left = elapsed / count * (total - count)
            say(f"{description}: {count}/{total}, {elapsed:.0f} s, {left:.0f} s left")


def bar(items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """Yield the items behind a bar on a terminal; stay silent in a log."""
    if not sys.stderr.isatty():
        yield from items
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, total=total, description=description)


def epoch_line(
    row: Mapping[str, Any], timing: Sequence[Mapping[str, float]], *, total: int, until: int
) -> str:
    """Say in one line how an epoch went and how long this step still takes.

    Parameters
    ----------
    row : mapping
        ``epoch`` (from 0), ``kind`` and ``loss`` of the epoch just finished.
    timing : sequence of mapping
        ``seconds`` and ``images_per_second`` of this step's epochs so far.
    total, until : int
        Epochs of the whole run, and of this step's end.
    """
    mean = sum(entry["seconds"] for entry in timing) / len(timing)
    left = mean * (until - row["epoch"] - 1)
    speed = timing[-1]["images_per_second"]
    return (
        f"epoch {row['epoch'] + 1}/{total} {row['kind']}: loss {row['loss']:.4f}, "
        f"{speed:,.0f} images/s, {left:.0f} s left in this step"
    )
