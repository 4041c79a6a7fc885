from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.datasets.duplicates import (
    DUPLICATE_COLUMNS,
    conflict_table,
    count_held_out_copies,
    duplicate_table,
    exact_groups,
    held_out_copies,
)
from ferclean.datasets.fingerprints import Fingerprints, fingerprint
from fixtures.picture_files import smooth_pixels

POOL = [fingerprint(smooth_pixels(seed)) for seed in range(6)]
ROW = st.tuples(
    st.integers(-1, 5), st.sampled_from(["train", "val", "test"]), st.sampled_from(["sad", "happy"])
)
ROWS = st.lists(ROW, min_size=1, max_size=15)


def build(rows):
    prints = Fingerprints.empty(len(rows))
    for row, (picture, _, _) in enumerate(rows):
        if picture >= 0:
            prints.put(row, POOL[picture])
    frame = pd.DataFrame({
        "sample_id": [f"s{row:02d}" for row in range(len(rows))],
        "split": [split for _, split, _ in rows],
        "given": [given for _, _, given in rows],
    })  # fmt: skip
    return frame, prints, exact_groups(prints.sha256)


@given(ROWS)
def test_groups_are_the_planted_ones(rows):
    _, _, group = build(rows)
    for i, (picture, _, _) in enumerate(rows):
        first = next(j for j, other in enumerate(rows) if other[0] == picture)
        assert group[i] == (-1 if picture < 0 else first)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_exact_pairs_connect_all_planted_copies_and_nothing_else(rows):
    frame, prints, _ = build(rows)
    table, complete = duplicate_table(frame, prints, distance=3)
    assert complete and list(table.columns) == list(DUPLICATE_COLUMNS)
    assert (table["kind"] == "exact").all()  # the pool's pictures are not near each other
    cluster = {name: {name} for name in frame["sample_id"]}
    for pair in table.itertuples():
        joined = cluster[pair.sample_id_a] | cluster[pair.sample_id_b]
        for name in joined:
            cluster[name] = joined
    for i, (picture, _, _) in enumerate(rows):
        same = {f"s{j:02d}" for j, other in enumerate(rows) if other[0] == picture}
        assert cluster[f"s{i:02d}"] == (same if picture >= 0 else {f"s{i:02d}"})


@settings(max_examples=50, deadline=None)
@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    def pairs(rows):
        frame, prints, _ = build(rows)
        table, _ = duplicate_table(frame, prints, distance=3)
        number = dict(zip(frame["sample_id"], [row[0] for row in rows], strict=True))
        return sorted(number[name] for name in table["sample_id_a"])

    shuffled = random.sample(rows, len(rows))
    assert pairs(rows) == pairs(shuffled)


@given(ROWS)
def test_conflicts_are_all_members_of_groups_with_two_labels(rows):
    frame, _, group = build(rows)
    expected = [
        f"s{i:02d}"
        for i, (picture, _, _) in enumerate(rows)
        if picture >= 0 and len({given for other, _, given in rows if other == picture}) > 1
    ]
    conflicts = conflict_table(frame, group)
    assert sorted(conflicts["sample_id"]) == expected
    for _, members in conflicts.groupby("group"):
        assert members["sample_id"].iloc[0] == members["group"].iloc[0]


@given(ROWS)
def test_copies_of_held_out_pictures_are_named(rows):
    frame, _, group = build(rows)
    reasons = held_out_copies(frame, group)
    counts = count_held_out_copies(frame, group)
    pictures = {name: {p for p, s, _ in rows if s == name and p >= 0} for name in frame["split"]}
    for (picture, split, _), reason in zip(rows, reasons, strict=True):
        measuring = {"train": ("test", "val"), "val": ("test",), "test": ()}[split]
        held = [n for n in measuring if picture in pictures.get(n, set())]
        if picture >= 0 and held:
            first = next(i for i, r in enumerate(rows) if r[0] == picture and r[1] == held[0])
            assert reason == f"exact copy of {held[0]} picture: s{first:02d}"
        else:
            assert reason is None
    trained = pictures.get("train", set())
    for name in ("val", "test"):
        assert counts[name] == {
            "pictures": sum(s == name and p in trained for p, s, _ in rows),
            "training_copies": sum(
                s == "train" and p in pictures.get(name, set()) for p, s, _ in rows
            ),
        }


def test_a_near_pair_stands_once_a_split_and_keeps_its_labels():
    moved = np.minimum(smooth_pixels(0) + np.uint8(3), 255).astype(np.uint8)
    prints = Fingerprints.empty(5)
    for row, pixels in enumerate([smooth_pixels(0), moved, moved, moved, smooth_pixels(1)]):
        prints.put(row, fingerprint(pixels))
    frame = pd.DataFrame({
        "sample_id": list("abcde"), "split": ["train", "train", "train", "test", "test"],
        "given": ["sad", "happy", "sad", "sad", "sad"],
    })  # fmt: skip
    table, _ = duplicate_table(frame, prints, distance=3)
    near = table[table["kind"] == "near"]
    assert near[["sample_id_a", "sample_id_b"]].to_numpy().tolist() == [["a", "b"], ["a", "d"]]
    assert near["given_b"].tolist() == ["happy", "sad"]
    assert near["split_b"].tolist() == ["train", "test"]
