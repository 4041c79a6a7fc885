"""Which column of probabilities a label means, where only numbers say so."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from ferclean.errors import FercleanError

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0*)?")  # "3", or "3.0" as a float column writes it
_SHOWN = 8
# What tables write for a missing value: never a class that nobody has named.
_MISSING = {"nan", "null", "n/a", "na", "none", "?"}


def whole_numbers(labels: np.ndarray) -> np.ndarray | None:
    """Return texts as numbers; ``None`` where one is no whole number or two texts mean one.

    Parameters
    ----------
    labels : numpy.ndarray
        ``(N,)`` text.

    Returns
    -------
    numpy.ndarray or None
        ``(N,)`` int64.
    """
    present = {text: text.strip() for text in set(labels.tolist())}
    if not all(_WHOLE.fullmatch(text) for text in present.values()):
        return None
    number = {raw: int(text.partition(".")[0]) for raw, text in present.items()}
    if len(set(number.values())) < len(number):
        return None
    return np.array([number[text] for text in labels.tolist()], dtype=np.int64)


def classes_by_labels(labels: np.ndarray, width: int) -> tuple[str, ...]:
    """Name K columns by the labels alone, in the order that scikit-learn gives classes.

    Numbers from 0 or from 1 may lack some of the K as long as they tell where they begin. Other
    labels must be K different ones: numbers in their order, or names by the alphabet.

    Parameters
    ----------
    labels : numpy.ndarray
        ``(N,)`` text.
    width : int
        K.

    Raises
    ------
    FercleanError
        If the labels leave more than one way; the message names the way out.
    """
    values = whole_numbers(labels)
    if values is None:
        return _names(labels, width)
    present = set(values.tolist())
    # Only numbers from 0 hold 0, and only those from 1 hold K.
    for columns, telling in ((range(width), 0), (range(1, width + 1), width)):
        if telling in present and present <= set(columns):
            return tuple(map(str, columns))
    if present <= set(range(1, width)):
        raise FercleanError(
            f"labels go from {min(present)} to {max(present)} and there are {width} columns of "
            "probabilities: whether they count from 0 or from 1 cannot be told; name the columns "
            "with --classes"
        )
    if len(present) == width and (min(present) >= 0 or present == {-1, 1}):
        return tuple(map(str, sorted(present)))
    odd = next((value for value in sorted(present) if not 0 <= value < width), min(present))
    raise FercleanError(
        f"label {str(odd)!r}, in row {int((values == odd).argmax()) + 1}, numbers none of the "
        f"{width} columns of probabilities; leave such rows out, or name the columns with --classes"
    )


def require_column_numbers(labels: np.ndarray, classes: Collection[str]) -> None:
    """Refuse labels that neither are among the named classes nor number them from 0.

    Raises
    ------
    FercleanError
        Naming the first label that does not fit, or what is unclear about the numbers.
    """
    known, values = set(classes), whole_numbers(labels)
    if set(labels.tolist()) <= known:
        return
    if values is not None and {str(value) for value in values.tolist()} <= known:
        return
    if values is None or not set(values.tolist()) <= set(range(len(known))):
        row = next(row for row, label in enumerate(labels.tolist()) if not _is_named(label, known))
        raise FercleanError(
            f"the label {str(labels[row])!r}, in row {row + 1}, is none of the classes "
            f"{', '.join(list(classes)[:_SHOWN])}; name the probabilities' columns in order with "
            "--classes"
        )
    if 0 not in values:
        raise FercleanError(
            f"labels are numbers from {values.min()} to {values.max()}: whether they count the "
            "columns from 0 or from 1 cannot be told; write the classes' names instead"
        )


def column_of_labels(labels: np.ndarray, classes: Collection[str]) -> np.ndarray:
    """Return each label's column, ``(N,)`` int64.

    Parameters
    ----------
    labels : numpy.ndarray
        ``(N,)`` text: names of classes, or numbers that :func:`require_column_numbers` let pass.
    classes : collection of str
        In the order of the columns.
    """
    place = {name: column for column, name in enumerate(classes)}
    texts = labels.tolist()
    if not set(texts) <= set(place):
        values = whole_numbers(labels)
        texts = [str(value) for value in ([] if values is None else values.tolist())]
        if not set(texts) <= set(place):
            place = {str(column): column for column in range(len(place))}
    return np.array([place[text] for text in texts], dtype=np.int64)


def _names(labels: np.ndarray, width: int) -> tuple[str, ...]:
    present = sorted(set(labels.tolist()))
    odd = [name for name in present if name.lower() in _MISSING]
    numbers = [name for name in present if _WHOLE.fullmatch(name)]
    if numbers and len(numbers) < len(present):
        odd += [name for name in present if name not in numbers]
    if odd:
        row = int((labels == odd[0]).argmax()) + 1
        raise FercleanError(
            f"label {odd[0]!r}, in row {row}, is no class like the others; leave such rows out, or "
            "name the columns of probabilities with --classes"
        )
    if len(present) != width:
        raise FercleanError(
            f"there are {width} columns of probabilities, but {len(present)} classes "
            f"({', '.join(present[:_SHOWN])}); name the columns in order with --classes"
        )
    return tuple(present)


def _is_named(label: str, known: Collection[str]) -> bool:
    values = whole_numbers(np.array([label]))
    return label in known or (values is not None and 0 <= values[0] < len(known))
