"""Rendered faces in the form that ingestion reads: a table and a stream of JPEG files."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.rendered.plan import plan_faces
from ferclean.datasets.rendered.render import encode_jpeg, render_face
from ferclean.machine import given_threads

# Starting a process costs about as much as drawing this many pictures.
_PICTURES_PER_WORKER = 300
_CHUNK = 32


def read_rendered(
    settings: DataSettings, *, workers: int | None = None
) -> tuple[pd.DataFrame, Iterator[tuple[str, bytes]]]:
    """Read the embedded default data set.

    Parameters
    ----------
    settings : DataSettings
        ``classes`` and ``rendered`` are read.
    workers : int, optional
        Processes that draw; when absent, as many as this one is given threads, as far as they
        pay. The bytes do not depend on it.

    Returns
    -------
    frame : pandas.DataFrame
        One row a picture, sorted by ``sample_id``: ``sample_id``, ``path``, ``split``, ``given``
        (the dominant expression), ``true`` (the same), ``true_p_<class>`` and ``identity``.
    pictures : iterator of (str, bytes)
        ``sample_id`` and JPEG file, in the order of the frame.

    Raises
    ------
    FercleanError
        If a class cannot be rendered.
    """
    plan = plan_faces(settings.rendered, settings.classes)
    frame = plan[["sample_id", "path", "split"]].assign(given=plan["true"], true=plan["true"])
    for name in settings.classes:
        frame[f"true_p_{name}"] = plan[f"p_{name}"]
    frame["identity"] = plan["identity"]
    pictures = iterate_rendered(plan, settings.rendered.image_size, workers=workers)
    return frame, pictures


def iterate_rendered(
    plan: pd.DataFrame, size: int, *, workers: int | None = None
) -> Iterator[tuple[str, bytes]]:
    """Draw the planned pictures one after the other.

    Parameters
    ----------
    plan : pandas.DataFrame
        From :func:`~ferclean.datasets.rendered.plan.plan_faces`, or some of its rows.
    size : int
        Height and width in pixels.
    workers : int, optional
        Processes that draw; see :func:`read_rendered`.

    Yields
    ------
    (str, bytes)
        ``sample_id`` and JPEG file, in the order of `plan`.
    """
    rows: list[Mapping[str, Any]] = plan.to_dict("records")  # type: ignore[assignment]
    if workers is None:
        workers = min(given_threads(), -(-len(rows) // _PICTURES_PER_WORKER))
    chunks = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    draw = partial(_draw_chunk, size=size)
    if workers <= 1:
        for chunk in chunks:
            yield from draw(chunk)
        return
    # Spawned, because a fork of a process that runs threads (PyTorch, Arrow) may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for pictures in pool.map(draw, chunks):
            yield from pictures


def _draw_chunk(rows: Sequence[Mapping[str, Any]], size: int) -> list[tuple[str, bytes]]:
    return [(str(row["sample_id"]), encode_jpeg(render_face(row, size))) for row in rows]
