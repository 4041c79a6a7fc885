"""What people decided about single labels: ``review.csv``, a row a decision.

Columns are ``sample_id``, ``given`` (the label that the person was shown), ``decision``, ``label``
(what the face shows, empty where the decision names none), ``reviewer`` and ``time`` (UTC).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ferclean.errors import FercleanError, unknown_name
from ferclean.tables.atomic import write_csv
from ferclean.tables.inputs import require_no_device

KEEP, RELABEL, AMBIGUOUS, NOT_A_FACE = "keep", "relabel", "ambiguous", "not_a_face"
DECISIONS = (KEEP, RELABEL, AMBIGUOUS, NOT_A_FACE)
# Longer texts are no names but a mistake.
_LONGEST = 4096


@dataclass(frozen=True)
class Decision:
    """One person's decision about one sample; all fields are text as in the file."""

    sample_id: str
    given: str
    decision: str
    label: str
    reviewer: str
    time: str


REVIEW_COLUMNS = tuple(field.name for field in fields(Decision))


def make_decision(values: Mapping[str, Any]) -> Decision:
    """Check one decision.

    Parameters
    ----------
    values : mapping
        A text for each of :data:`REVIEW_COLUMNS`.

    Raises
    ------
    FercleanError
        For a missing or odd value. The sentence tells what is wrong, not where.
    """
    for name in REVIEW_COLUMNS:
        value = values.get(name)
        if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
            raise FercleanError(f"{name} must be a text of at most {_LONGEST} characters")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise FercleanError(f"{name} holds half a character, which no file can")
        if not value and name != "label":
            raise FercleanError(f"{name} is empty")
    found = Decision(**{name: values[name] for name in REVIEW_COLUMNS})
    if found.decision not in DECISIONS:
        raise unknown_name("decision", found.decision, DECISIONS)
    _check_label(found)
    _check_time(found.time)
    return found


def _check_label(found: Decision) -> None:
    if found.decision == KEEP and found.label != found.given:
        raise FercleanError(f"decision keep has label {found.label!r} but given {found.given!r}")
    if found.decision == RELABEL and found.label in ("", found.given):
        raise FercleanError("decision relabel needs a label other than the given one")
    if found.decision in (AMBIGUOUS, NOT_A_FACE) and found.label:
        raise FercleanError(f"decision {found.decision} takes no label, found {found.label!r}")


def _check_time(text: str) -> None:
    try:
        in_utc = datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        in_utc = False
    if not in_utc:
        example = datetime(2026, 1, 31, 12, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise FercleanError(f"time must be ISO 8601 in UTC such as {example}, found {text!r}")


def decided_rows(frame: pd.DataFrame) -> np.ndarray:
    """Tell which rows of a label table's or an audit's frame a person decided, ``(N,)`` bool."""
    if "reviewed_decision" not in frame:
        return np.zeros(len(frame), dtype=bool)
    return frame["reviewed_decision"].notna().to_numpy(dtype=bool)


def read_review(path: str | Path) -> list[Decision]:
    """Read decisions.

    Raises
    ------
    FercleanError
        If the file cannot be read, has other columns, holds an odd value, or decides twice about
        one sample.
    """
    require_no_device(Path(path))
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # a name may hold any line end
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise FercleanError(f"{path} is not a text in UTF-8") from None
    try:
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except csv.Error as error:
        raise FercleanError(f"{path} is not a readable CSV file: {error}") from None
    if sorted(header) != sorted(REVIEW_COLUMNS):
        raise FercleanError(
            f"{path} must have the columns {', '.join(REVIEW_COLUMNS)}, "
            f"found {', '.join(header) or 'none'}"
        )
    return _checked_rows(header, rows, path)


def _checked_rows(header: list[str], rows: Sequence[list[str]], path: str | Path) -> list[Decision]:
    found: dict[str, Decision] = {}
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) != len(header):
            raise FercleanError(
                f"{path}, line {number}: {len(header)} values expected, found {len(row)}"
            )
        try:
            decision = make_decision(dict(zip(header, row, strict=True)))
        except FercleanError as error:
            raise FercleanError(f"{path}, line {number}: {error}") from None
        if decision.sample_id in found:
            raise FercleanError(
                f"{path}, line {number}: sample_id {decision.sample_id!r} repeats; "
                "keep one decision a sample"
            )
        found[decision.sample_id] = decision
    return list(found.values())


def write_review(decisions: Iterable[Decision], path: str | Path) -> None:
    """Write decisions atomically, sorted by sample: the same ones give the same bytes."""
    rows = [astuple(row) for row in sorted(decisions, key=lambda row: row.sample_id)]
    frame = pd.DataFrame(rows, columns=list(REVIEW_COLUMNS), dtype=object)
    write_csv(path, frame)
