"""Repaired labels, whichever table they come from, in one form that all layouts read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ferclean.audit.findings import VERDICTS
from ferclean.errors import FercleanError, unknown_name
from ferclean.tables.audit_inputs import PROBABILITY_PREFIX
from ferclean.tables.labels import SPLITS, LabelTable

_OF_AUDIT = ("sample_id", "given_label", "label_quality", "suggested_label", "verdict")
_OF_LABELS = ("observed", "label", "clean_probability", "action")
# A row with one of these findings is not to be trained with.
DROPPED = ("drop", "out_of_scope")
_NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class RepairedRows:
    """One row a sample.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``sample_id``, ``path`` (as the data set names it), ``split``, ``given_label``,
        ``label`` (the repaired one), ``label_quality`` (how likely the given label is right, NaN
        where the row was not judged) and ``finding`` (a method's action, or an audit's verdict).
    probabilities : numpy.ndarray
        ``(N, K)`` float64, NaN in rows that were not judged.
    classes : tuple of str
        Class order.
    """

    frame: pd.DataFrame
    probabilities: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def judged(self) -> np.ndarray:
        """Which rows were looked at, ``(N,)`` bool; those that a person took out were not."""
        known = np.asarray(self.frame["label_quality"].notna(), dtype=bool)
        return known & np.isfinite(self.probabilities).all(axis=1)

    @property
    def dropped(self) -> np.ndarray:
        """Which rows are not to be trained with, ``(N,)`` bool."""
        return np.asarray(self.frame["finding"].isin(DROPPED), dtype=bool)

    def codes(self, column: str) -> np.ndarray:
        """Return a label column as class numbers, ``(N,)`` int64."""
        return np.asarray(self.frame[column].map(self.classes.index), dtype=np.int64)

    def take(self, mask: np.ndarray) -> RepairedRows:
        """Return some of the rows."""
        frame = self.frame[mask].reset_index(drop=True)
        return RepairedRows(frame, self.probabilities[mask], self.classes)

    def table(self) -> pd.DataFrame:
        """Return the frame with a column ``p_<class>`` a class."""
        return self.frame.assign(
            **{
                f"{PROBABILITY_PREFIX}{name}": self.probabilities[:, code]
                for code, name in enumerate(self.classes)
            }
        )


def rows_of_labels(table: LabelTable, where: str) -> RepairedRows:
    """Take the repaired labels out of a label table of step evaluate or of a round.

    Rows that no round judges (validation, test) keep the label that they have.

    Raises
    ------
    FercleanError
        If the table holds no repaired labels.
    """
    frame = table.frame
    _require(frame, (*_OF_LABELS, *(f"p_{name}" for name in table.classes)), where)
    known = (table.codes("observed") >= 0) | (table.codes("label") >= 0)
    table = table.take(known)
    frame = table.frame
    given, label = frame["observed"].astype(object), frame["label"].astype(object)
    return RepairedRows(
        pd.DataFrame(
            {
                "sample_id": frame["sample_id"].astype(str),
                "path": frame["path"].astype(str),
                "split": frame["split"].astype(str),
                "given_label": given.where(given.notna(), label),
                "label": label.where(label.notna(), given),
                "label_quality": frame["clean_probability"].astype(np.float64),
                "finding": frame["action"].astype(object).fillna(_NOT_JUDGED),
            }
        ),
        table.matrix("p_"),
        table.classes,
    )


def rows_of_audit(frame: pd.DataFrame, where: str) -> RepairedRows:
    """Take the repaired labels out of an audit: the suggested one where the given one is wrong.

    Raises
    ------
    FercleanError
        If the frame is no audit.
    """
    _require(frame, _OF_AUDIT, where)
    _check_audit(frame, where)
    classes = _audit_classes(frame, where)
    given = frame["given_label"].astype(str)
    suggested = frame["suggested_label"].astype(str)
    verdict = frame["verdict"].astype(str)
    name = frame["sample_id"].astype(str)
    return RepairedRows(
        pd.DataFrame(
            {
                "sample_id": name,
                "path": name,
                "split": SPLITS[0],
                "given_label": given,
                "label": suggested.where(verdict == "wrong", given),
                "label_quality": _numbers(frame, "label_quality", where),
                "finding": verdict,
            }
        ),
        np.column_stack(
            [_numbers(frame, f"{PROBABILITY_PREFIX}{name}", where) for name in classes]
        ),
        classes,
    )


def _check_audit(frame: pd.DataFrame, where: str) -> None:
    """Refuse an audit that was edited into something else."""
    for column in ("sample_id", "given_label", "verdict", "suggested_label"):
        absent = frame[column].isna().to_numpy()
        if column == "suggested_label":  # a person who calls a row no face suggests nothing
            absent = absent & frame["verdict"].eq("wrong").to_numpy()
        if absent.any():
            raise FercleanError(f"{where}: row {int(absent.argmax()) + 1} has no {column}")
    repeated = frame["sample_id"].astype(str).duplicated().to_numpy()
    if repeated.any():
        name = frame["sample_id"].iloc[int(repeated.argmax())]
        raise FercleanError(f"{where} names the sample {str(name)!r} twice")
    for verdict in frame["verdict"].astype(str).unique():
        if verdict not in VERDICTS:
            raise unknown_name(f"{where}: verdict", verdict, VERDICTS)


def _numbers(frame: pd.DataFrame, column: str, where: str) -> np.ndarray:
    """Return a column of probabilities as float64; NaN stands for an unknown one."""
    values = frame[column]
    if not pd.api.types.is_numeric_dtype(values):
        raise FercleanError(f"{where}: column {column!r} must hold numbers, found {values.dtype}")
    found = values.to_numpy(dtype=np.float64)
    if ((found < 0) | (found > 1)).any():
        raise FercleanError(f"{where}: column {column!r} must lie between 0 and 1")
    return found


def _audit_classes(frame: pd.DataFrame, where: str) -> tuple[str, ...]:
    """Return the classes in their order, which is that of the probabilities' columns."""
    labels = (frame["given_label"], frame["suggested_label"])
    used = {str(name) for column in labels for name in column.dropna().unique()}
    declared = getattr(frame["given_label"], "cat", None)
    classes = [str(name) for name in declared.categories] if declared is not None else None
    if classes is None:
        columns = [str(column) for column in frame.columns]
        found = [column for column in columns if column.startswith(PROBABILITY_PREFIX)]
        classes = [column.removeprefix(PROBABILITY_PREFIX) for column in found]
    _require(frame, [f"{PROBABILITY_PREFIX}{name}" for name in classes], where)
    if unknown := sorted(used - set(classes)):
        raise FercleanError(f"{where}: {unknown[0]!r} is none of the classes {', '.join(classes)}")
    return tuple(classes)


def _require(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    absent = [column for column in columns if column not in frame]
    if absent:
        raise FercleanError(
            f"{where}: column {absent[0]!r} is missing: name labels.parquet of a run "
            "(results/evaluate) or audit.parquet of an audit"
        )
