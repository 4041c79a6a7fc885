"""Bring labels and probabilities from several files into one order of rows and classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ferclean.audit.numbering import (
    classes_by_labels,
    column_of_labels,
    require_column_numbers,
)
from ferclean.errors import FercleanError
from ferclean.tables.audit_inputs import GivenLabels, Probabilities


def common_classes(
    given: GivenLabels, files: Sequence[Probabilities], named: Sequence[str] | None
) -> tuple[str, ...]:
    """Name the K classes in the order of the probabilities' columns.

    They are those named by the user, or the files' columns, or else told by the labels, see
    :func:`~ferclean.audit.numbering.classes_by_labels`. Labels that are numbers from 0 may stand
    beside named classes: they number the columns.

    Parameters
    ----------
    given : GivenLabels
    files : sequence of Probabilities
        At least one.
    named : sequence of str, optional
        What the user says.

    Returns
    -------
    tuple of str

    Raises
    ------
    FercleanError
        If files disagree, or none of the ways gives K names that hold every label.
    """
    widths = {each.members.shape[2] for each in files}
    if len(widths) != 1:
        raise FercleanError(f"the files of probabilities have {sorted(widths)} classes")
    width = widths.pop()
    headers = [each.classes for each in files if each.classes is not None]
    if not named and not headers:
        return classes_by_labels(given.labels, width)
    classes = tuple(named) if named else headers[0]
    if len(classes) != width or len(set(classes)) != width:
        raise FercleanError(
            f"there are {width} columns of probabilities, but {len(set(classes))} classes "
            f"({', '.join(classes[:8])}); name the columns in order with --classes"
        )
    if any(set(header) != set(classes) for header in headers):
        raise FercleanError("the files of probabilities name different classes")
    require_column_numbers(given.labels, classes)
    return classes


def stacked(
    given: GivenLabels, files: Sequence[Probabilities], classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return all members' probabilities and the labels' numbers, rows as in the label file.

    Parameters
    ----------
    given : GivenLabels
    files : sequence of Probabilities
        Rows are matched by ``sample_id`` where both files have it, else by their order.
    classes : sequence of str
        From :func:`common_classes`.

    Returns
    -------
    probabilities : numpy.ndarray
        ``(M, N, K)`` float32.
    labels : numpy.ndarray
        ``(N,)`` int64.

    Raises
    ------
    FercleanError
        If a file lacks a row, or has another number of rows and no ``sample_id``.
    """
    members = np.concatenate([_in_order(given, each, classes) for each in files])
    return members, column_of_labels(given.labels, classes)


def _in_order(given: GivenLabels, found: Probabilities, classes: Sequence[str]) -> np.ndarray:
    values = found.members
    if found.classes is not None and tuple(found.classes) != tuple(classes):
        values = values[:, :, [found.classes.index(name) for name in classes]]
    if given.sample_id is None or found.sample_id is None:
        if values.shape[1] != len(given.labels):
            raise FercleanError(
                f"there are {len(given.labels)} labels and {values.shape[1]} rows of "
                "probabilities; give both files a column sample_id or the same rows"
            )
        return values
    row_of = {name: row for row, name in enumerate(found.sample_id.tolist())}
    missing = next((name for name in given.sample_id.tolist() if name not in row_of), None)
    if missing is not None:
        raise FercleanError(f"the probabilities have no row for sample_id {missing!r}")
    return values[:, [row_of[name] for name in given.sample_id.tolist()]]
