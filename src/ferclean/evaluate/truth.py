"""What is known about the truth of a label table's rows (read by evaluation only)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ferclean.errors import FercleanError
from ferclean.evaluate.distributions import normalise_votes
from ferclean.tables.labels import LabelTable


def true_codes(table: LabelTable) -> np.ndarray:
    """Codes of the true labels, ``(N,)`` int64, -1 where unknown."""
    if "true" not in table.frame:
        return np.full(len(table), -1, dtype=np.int64)
    return table.codes("true")


def best_known_codes(table: LabelTable) -> np.ndarray:
    """Take the true label where known, else the given one: what test rows are scored against."""
    true, given = true_codes(table), table.codes("given")
    return np.where(true >= 0, true, given)


def one_hot(codes: np.ndarray, class_count: int) -> np.ndarray:
    """Turn codes into ``(N, K)`` distributions; a missing label (-1) becomes NaN."""
    return np.where(codes[:, None] >= 0, np.eye(class_count)[codes], np.nan)


def vote_shares(table: LabelTable) -> np.ndarray:
    """Shares of the annotators' votes, ``(N, K)``, NaN where there are none."""
    return normalise_votes(_matrix(table, "votes_"))


def true_distributions(table: LabelTable) -> np.ndarray:
    """Read true label distributions ``(N, K)``; vote shares stand in where they are unknown."""
    known, votes = _matrix(table, "true_p_"), vote_shares(table)
    return np.where(np.isfinite(known).all(axis=1, keepdims=True), known, votes)


def known_distributions(table: LabelTable) -> np.ndarray:
    """Read true label distributions ``(N, K)``, NaN where unknown; votes do not stand in."""
    return _matrix(table, "true_p_")


def _matrix(table: LabelTable, prefix: str) -> np.ndarray:
    if all(prefix + name in table.frame for name in table.classes):
        return table.matrix(prefix)
    return np.full((len(table), len(table.classes)), np.nan)


def judged_rows(base: LabelTable, rounds: Sequence[LabelTable]) -> np.ndarray:
    """Find the training rows that every round's label table holds.

    A run labels all training rows, with one exception: the oracle-clean control sees only those
    whose observed label is known to be right.

    Parameters
    ----------
    base : LabelTable
        All rows, with ``observed``.
    rounds : sequence of LabelTable
        The tables of rounds 0..R.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool mask over `base`. Its rows and the rows of each round are in the same order.

    Raises
    ------
    FercleanError
        If a round has other classes, rows the base lacks, lacks rows that it should hold, or
        disagrees about ``observed``.
    """
    train, ids = base.in_split("train"), base.frame["sample_id"]
    mask = train & ids.isin(rounds[0].frame["sample_id"]).to_numpy()
    left_out = train & ~mask
    right = (true_codes(base) >= 0) & (true_codes(base) == base.codes("observed"))
    if left_out.any() and not np.array_equal(left_out, train & ~right):
        missing = ids[left_out].iloc[0]
        raise FercleanError(f"round_0/labels.parquet lacks the training row {missing!r}; rerun it")
    expected = base.take(mask)
    for number, table in enumerate(rounds):
        _check_same_rows(expected, table, f"round_{number}/labels.parquet")
    return np.asarray(mask)


def _check_same_rows(expected: LabelTable, table: LabelTable, name: str) -> None:
    if table.classes != expected.classes:
        raise FercleanError(f"{name} has the classes {table.classes}, not {expected.classes}")
    want, have = list(expected.frame["sample_id"]), list(table.frame["sample_id"])
    if want != have:
        odd = min(set(want) ^ set(have), default=None)
        if odd is None:
            raise FercleanError(f"{name} holds the rows in another order or twice; rerun it")
        fault = "lacks the training row" if odd in set(want) else "holds the unknown row"
        raise FercleanError(f"{name} {fault} {odd!r}; rerun it")
    differs = expected.codes("observed") != table.codes("observed")
    if differs.any():
        odd = want[int(np.argmax(differs))]
        raise FercleanError(f"{name} has another observed label for {odd!r}; rerun it")
