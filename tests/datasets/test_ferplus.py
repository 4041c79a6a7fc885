from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ferclean.config.data import DataSettings
from ferclean.datasets.ferplus import NO_VOTES, TIED, apply_votes, parse_votes, vote_winner
from fixtures.picture_files import votes_row


def plain_winner(row: list[int]) -> int:
    if max(row) == 0:
        return NO_VOTES
    best = [i for i, count in enumerate(row) if count == max(row)]
    return best[0] if len(best) == 1 else TIED


@given(arrays(np.int64, st.tuples(st.integers(1, 20), st.just(10)), elements=st.integers(0, 10)))
def test_winner_agrees_with_a_plain_count(votes):
    assert vote_winner(votes).tolist() == [plain_winner(row.tolist()) for row in votes]


def frame_of(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"given": ["sad"] * rows, "reason": pd.Series([None] * rows, dtype=object)})


VOTES = np.array([
    votes_row(happiness=6, neutral=4),
    votes_row(happiness=5, neutral=5),
    votes_row(contempt=8, sadness=2),
    votes_row(unknown=9, fear=1),
    votes_row(NF=10),
    votes_row(),
])  # fmt: skip
REASONS = [
    None, "FER+ votes are tied", "FER+ winner is contempt", "FER+ winner is unknown",
    "FER+ winner is not a face", "no FER+ votes",
]  # fmt: skip


def test_the_winner_becomes_the_truth_of_the_given_label():
    frame = apply_votes(
        frame_of(6), VOTES, settings=DataSettings(source="fer2013_parquet", path="x")
    )
    assert frame["given"].tolist() == ["sad"] * 6
    assert frame["true"].tolist() == ["happy", *[None] * 5]
    assert frame["reason"].tolist() == REASONS
    assert frame["votes_happy"].tolist() == [6, 5, 0, 0, 0, 0]
    assert frame["true_p_neutral"].tolist()[:3] == [0.4, 0.5, 0.0]
    assert np.isnan(frame["true_p_neutral"].iloc[4])
    shares = frame.filter(like="true_p_").sum(axis=1)[:4]
    np.testing.assert_allclose(shares, 1)


def test_the_winner_replaces_the_given_label():
    settings = DataSettings(source="fer2013_parquet", path="x", labels="ferplus_winner")
    frame = apply_votes(frame_of(6), VOTES, settings=settings)
    assert frame["given"].tolist() == frame["true"].tolist() == ["happy", *[None] * 5]
    assert frame["reason"].tolist() == REASONS


def test_without_vote_truth_all_rows_stay_and_nothing_claims_to_be_true():
    settings = DataSettings(source="fer2013_parquet", path="x", vote_truth=False)
    frame = apply_votes(frame_of(6), VOTES, settings=settings)
    assert frame["reason"].isna().all()
    assert not [name for name in frame if name.startswith("true")]
    assert frame["votes_fear"].tolist() == [0, 0, 0, 1, 0, 0]


def test_a_class_named_contempt_gets_its_votes():
    classes = ("happy", "contempt")
    settings = DataSettings(source="fer2013_parquet", path="x", classes=classes)
    frame = apply_votes(frame_of(6), VOTES, settings=settings)
    assert frame["true"].tolist()[2] == "contempt"
    assert frame["votes_contempt"].tolist() == [0, 0, 8, 0, 0, 0]


def test_a_winner_outside_the_classes_is_named():
    settings = DataSettings(source="fer2013_parquet", path="x", classes=("sad", "fear"))
    frame = apply_votes(frame_of(6), VOTES, settings=settings)
    assert frame["reason"].iloc[0] == "FER+ winner is happiness"


def test_votes_that_are_no_counts_are_no_votes():
    bad = [["1", "2", value] for value in ("x", "", "-1", "0.5", "inf", "1e30", None)]
    votes = pd.DataFrame([*bad, ["1", "2", "3"]], dtype=object)
    assert parse_votes(votes).tolist() == [[0, 0, 0]] * 7 + [[1, 2, 3]]
