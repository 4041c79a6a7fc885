"""FER+: ten crowd votes a FER2013 picture (Barsoum et al. 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import first_reason
from ferclean.datasets.classes import label_lookup

# Column order of fer2013new.csv.
VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
TIED, NO_VOTES = -1, -2
_NAMES = {"unknown": "unknown", "NF": "not a face"}


def vote_winner(votes: np.ndarray) -> np.ndarray:
    """Return the column with most votes.

    Parameters
    ----------
    votes : numpy.ndarray
        ``(N, C)`` counts, not negative.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64: column number, :data:`TIED` where several columns share the highest
        count, :data:`NO_VOTES` where all counts are zero.
    """
    most = votes.max(axis=1, keepdims=True)
    winner: np.ndarray = votes.argmax(axis=1).astype(np.int64)
    winner[(votes == most).sum(axis=1) > 1] = TIED
    winner[most[:, 0] <= 0] = NO_VOTES
    return winner


def parse_votes(votes: pd.DataFrame) -> np.ndarray:
    """Turn vote columns as found into counts; a row with anything else in it gets no votes.

    Parameters
    ----------
    votes : pandas.DataFrame
        ``(N, 10)`` in the order of :data:`VOTE_COLUMNS`; numbers or texts.

    Returns
    -------
    numpy.ndarray
        ``(N, 10)`` int64.
    """
    counts = votes.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    usable = np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)) & (counts < 1e6)
    rows = usable.all(axis=1, keepdims=True)
    return np.asarray(np.where(rows, counts, 0).astype(np.int64))


def apply_votes(frame: pd.DataFrame, votes: np.ndarray, *, settings: DataSettings) -> pd.DataFrame:
    """Add the votes, and what they say about the label, to a frame of FER2013 rows.

    With ``labels: ferplus_winner`` the winner replaces ``given``. With ``labels: given`` and
    ``vote_truth`` it becomes ``true``. In both cases ``true_p_<class>`` is the vote distribution
    over the classes, and rows whose winner is no class, or tied, get a reason.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``given`` and ``reason`` as FER2013 has them, ``(N, ...)``.
    votes : numpy.ndarray
        ``(N, 10)`` counts in the order of :data:`VOTE_COLUMNS`.
    settings : DataSettings
        ``labels``, ``vote_truth`` and ``classes`` are read.

    Returns
    -------
    pandas.DataFrame
        The frame with ``votes_<class>`` and, as described, ``true`` and ``true_p_<class>``.
    """
    counts = _votes_by_class(votes, settings.classes)
    columns: dict[str, Any] = {f"votes_{name}": counts[name] for name in settings.classes}
    if settings.labels == "ferplus_winner" or settings.vote_truth:
        winner, reason = _winning_class(votes, settings.classes, frame.index)
        total: np.ndarray = sum(counts.values(), start=np.zeros(len(votes)))
        with np.errstate(invalid="ignore", divide="ignore"):
            columns.update({f"true_p_{name}": counts[name] / total for name in settings.classes})
        columns["true"] = winner
        columns["reason"] = first_reason(frame["reason"], reason)
        if settings.labels == "ferplus_winner":
            columns["given"] = winner
    return frame.assign(**columns)


def _votes_by_class(votes: np.ndarray, classes: tuple[str, ...]) -> dict[str, np.ndarray]:
    lookup = label_lookup(classes)
    counts = {name: np.zeros(len(votes), dtype=np.int64) for name in classes}
    for column, word in enumerate(VOTE_COLUMNS):
        if word in lookup:
            counts[lookup[word]] += votes[:, column]
    return counts


def _winning_class(
    votes: np.ndarray, classes: tuple[str, ...], index: pd.Index
) -> tuple[pd.Series, pd.Series]:
    lookup = label_lookup(classes)
    labels: dict[int, str | None] = {TIED: None, NO_VOTES: None}
    reasons: dict[int, str | None] = {TIED: "FER+ votes are tied", NO_VOTES: "no FER+ votes"}
    for column, word in enumerate(VOTE_COLUMNS):
        labels[column] = lookup.get(word)
        unusable = f"FER+ winner is {_NAMES.get(word, word)}"
        reasons[column] = None if labels[column] else unusable
    winner = vote_winner(votes)
    return (
        pd.Series([labels[code] for code in winner], index=index, dtype=object),
        pd.Series([reasons[code] for code in winner], index=index, dtype=object),
    )
