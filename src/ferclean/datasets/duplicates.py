"""Tables of duplicate pictures and of the labels they disagree on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ferclean.datasets.fingerprints import Fingerprints
from ferclean.datasets.near import near_pairs

# What holds no copy of the split's pictures, the one that wins first.
_MAY_NOT_COPY = {"test": ("train", "val"), "val": ("train",)}
DUPLICATE_COLUMNS = (
    "kind",
    "sample_id_a",
    "sample_id_b",
    "split_a",
    "split_b",
    "given_a",
    "given_b",
    "distance",
)


def exact_groups(sha256: np.ndarray) -> np.ndarray:
    """Give identical pictures one group number.

    Parameters
    ----------
    sha256 : numpy.ndarray
        ``(N,)`` digests as bytes, empty where there is no picture.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64: the position of the group's first row, -1 where there is no picture.
    """
    _, first, inverse = np.unique(sha256, return_index=True, return_inverse=True)
    return np.where(sha256 == b"", -1, first[inverse]).astype(np.int64)


def duplicate_table(
    frame: pd.DataFrame, fingerprints: Fingerprints, *, distance: int
) -> tuple[pd.DataFrame, bool]:
    """List exact and near duplicates, across and inside splits.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``sample_id``, ``split``, ``given`` of N rows, sorted by ``sample_id``.
    fingerprints : Fingerprints
        Of the same rows.
    distance : int
        Largest number of differing hash bits of near duplicates.

    Returns
    -------
    table : pandas.DataFrame
        Columns :data:`DUPLICATE_COLUMNS`. ``exact``: each picture with the first of its group of
        identical ones, distance 0. ``near``: all pairs of different pictures that are nearly
        equal; identical pictures of one split stand there once, by their first.
    complete : bool
        False when so many hashes collide that near pairs may be missing.
    """
    group = exact_groups(fingerprints.sha256)
    copies = np.flatnonzero((group >= 0) & (group != np.arange(len(group))))
    exact = _pair_table("exact", frame, group[copies], copies, np.zeros(len(copies), np.int64))
    first_of_split = ~pd.DataFrame({"group": group, "split": frame["split"]}).duplicated()
    pictures = np.flatnonzero((group >= 0) & first_of_split.to_numpy())
    pairs = near_pairs(
        fingerprints.perceptual[pictures], fingerprints.thumbnail[pictures], distance=distance
    )
    first, second = pictures[pairs.first], pictures[pairs.second]
    different = group[first] != group[second]
    near = _pair_table(
        "near", frame, first[different], second[different], pairs.distance[different]
    )
    return pd.concat([exact, near], ignore_index=True), pairs.complete


def _pair_table(
    kind: str, frame: pd.DataFrame, first: np.ndarray, second: np.ndarray, distance: np.ndarray
) -> pd.DataFrame:
    columns: dict[str, object] = {"kind": np.full(len(first), kind, dtype=object)}
    for name in ("sample_id", "split", "given"):
        values = frame[name].to_numpy(dtype=object)
        columns |= {f"{name}_a": values[first], f"{name}_b": values[second]}
    return pd.DataFrame(columns | {"distance": distance})[list(DUPLICATE_COLUMNS)]


def conflict_table(frame: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """List identical pictures whose given labels differ.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``sample_id``, ``split``, ``given`` of N rows.
    group : numpy.ndarray
        ``(N,)`` from :func:`exact_groups`.

    Returns
    -------
    pandas.DataFrame
        ``group`` (sample_id of its first picture), ``sample_id``, ``split``, ``given``: every
        labelled member of every conflicting group.
    """
    labelled = (group >= 0) & frame["given"].notna().to_numpy()
    rows = frame.loc[labelled, ["sample_id", "split", "given"]]
    number = pd.Series(group[labelled], index=rows.index)
    differing = rows["given"].groupby(number).transform("nunique") > 1
    conflicts = rows[differing]
    names = frame["sample_id"].to_numpy(dtype=object)[number[differing].to_numpy(dtype=np.int64)]
    conflicts.insert(0, "group", names)
    return conflicts.sort_values(["group", "sample_id"], ignore_index=True)


def held_out_copies(frame: pd.DataFrame, group: np.ndarray) -> pd.Series:
    """Say which rows are exact copies of a picture that measures what they train or choose.

    Training rows must not stand in the validation or test split, validation rows not in the
    test split: what is chosen by them would be chosen on test pictures.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``sample_id`` and ``split`` of N rows.
    group : numpy.ndarray
        ``(N,)`` from :func:`exact_groups`.

    Returns
    -------
    pandas.Series
        Reason naming the test (else validation) picture, ``None`` for all other rows.
    """
    split = frame["split"].to_numpy(dtype=object)
    reasons = np.full(len(frame), None, dtype=object)
    for name, from_splits in _MAY_NOT_COPY.items():
        rows = np.flatnonzero((split == name) & (group >= 0))
        groups, first = np.unique(group[rows], return_index=True)
        original = dict(zip(groups, frame["sample_id"].to_numpy()[rows[first]], strict=True))
        copies = np.isin(split, from_splits) & np.isin(group, groups) & (reasons == None)  # noqa: E711
        for row in np.flatnonzero(copies):
            reasons[row] = f"exact copy of {name} picture: {original[group[row]]}"
    return pd.Series(reasons, index=frame.index, dtype=object)


def count_held_out_copies(frame: pd.DataFrame, group: np.ndarray) -> dict[str, dict[str, int]]:
    """Count, per held-out split, its pictures that training holds too, and the training copies.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``split`` of N rows.
    group : numpy.ndarray
        ``(N,)`` from :func:`exact_groups`.

    Returns
    -------
    dict
        ``{split: {"pictures": ..., "training_copies": ...}}`` for val and test.
    """
    split = frame["split"].to_numpy(dtype=object)
    present = group >= 0
    training = present & (split == "train")
    counts = {}
    for name in sorted(_MAY_NOT_COPY):
        rows = present & (split == name)
        counts[name] = {
            "pictures": int(np.isin(group[rows], group[training]).sum()),
            "training_copies": int(np.isin(group[training], group[rows]).sum()),
        }
    return counts
