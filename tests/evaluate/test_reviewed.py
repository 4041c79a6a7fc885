import numpy as np
import pandas as pd

from ferclean.evaluate.reviewed import review_metrics, with_decisions
from ferclean.tables.labels import labels_from_codes, make_table
from ferclean.tables.review import decided_rows

CLASSES = ("sad", "happy")
# Rows: kept, relabelled, ambiguous, no face, undecided, a decided test row.
DECISIONS = ["keep", "relabel", "ambiguous", "not_a_face", None, "relabel"]


def repaired():
    def codes(*values):
        return labels_from_codes(np.array(values), CLASSES)

    frame = pd.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(6)],
            "path": "x",
            "split": ["train", "train", "train", "excluded", "train", "test"],
            "given": codes(0, 0, 0, 0, 0, 0),
            "observed": codes(0, 1, 0, 0, 0, 0),
            "true": codes(1, 1, 0, 0, 1, 0),
            "reviewed_decision": DECISIONS,
            "reviewed_label": codes(0, 1, -1, -1, -1, 1),
            "reviewed_by": ["Ann"] * 4 + [None, "Ann"],
            "reviewed_at": ["2026-01-31T12:00:00Z"] * 4 + [None, "2026-01-31T12:00:00Z"],
            "before_review": codes(0, 0, 0, 0, -1, 0),
            "split_before_review": ["train", "train", "train", "train", None, "test"],
            "suggested_label": codes(1, 0, 1, -1, 1, -1),
            "label": codes(1, 0, 1, -1, 1, -1),
            "label_quality": [0.1, 0.2, 0.3, np.nan, 0.4, np.nan],
            "weight": [0.5, 0.5, 0.5, np.nan, 0.5, np.nan],
            "action": ["relabel", "relabel", "relabel", None, "relabel", None],
            "reason": ["r"] * 3 + [None, "r", None],
            "p_sad": [0.1, 0.8, 0.3, np.nan, 0.4, np.nan],
            "p_happy": [0.9, 0.2, 0.7, np.nan, 0.6, np.nan],
        }
    )
    return make_table(frame, CLASSES, "toy")


def test_people_win_in_the_repaired_table():
    found = with_decisions(repaired())
    assert found.codes("suggested_label").tolist() == [0, 1, 0, -1, 1, -1]
    assert found.codes("label").tolist() == [0, 1, 0, -1, 1, -1]
    frame = found.frame
    assert frame["action"].tolist()[:5] == ["keep", "relabel", "soften", "drop", "relabel"]
    assert frame["weight"].tolist()[:5] == [1, 1, 0.5, 0, 0.5]
    np.testing.assert_allclose(frame["label_quality"][:3], [1, 1, 0.3])
    np.testing.assert_allclose(frame[["p_sad", "p_happy"]][:3], [[1, 0], [0, 1], [0.3, 0.7]])
    assert frame["reason"].tolist()[:5] == [
        "a person decided so", "a person decided so", "a person calls the face ambiguous",
        "a person sees no face", "r",
    ]  # fmt: skip
    before = repaired().frame
    pd.testing.assert_frame_equal(frame.iloc[4:], before.iloc[4:])
    for column in ("given", "observed", "true", "reviewed_decision"):
        pd.testing.assert_series_equal(frame[column], before[column])


def test_decisions_are_compared_with_the_observed_label_not_the_given_one():
    base = repaired()
    clean = make_table(base.frame.assign(given="happy"), CLASSES, "toy")  # sad is injected noise
    found, expected = (with_decisions(each).frame.drop(columns="given") for each in (clean, base))
    pd.testing.assert_frame_equal(found, expected)


def test_without_decisions_the_table_is_the_same():
    bare = repaired()
    names = [name for name in bare.frame if "review" not in name]
    bare = make_table(bare.frame[names], CLASSES, "toy")
    assert with_decisions(bare) is bare
    assert not decided_rows(bare.frame).any()
    assert review_metrics(bare, bare) == {}


def test_decided_rows_are_counted_and_measured_apart():
    base, found = repaired(), with_decisions(repaired())
    assert review_metrics(base, found) == {
        "reviewed_rows": 4,
        "reviewed_label_accuracy": 0.5,  # of the two labels that a person named
        "label_accuracy_with_review": 3 / 4,  # of kept, relabelled, ambiguous and undecided
    }


def test_what_was_taken_out_of_the_validation_rows_is_not_counted():
    base = repaired()
    assert review_metrics(base, base)["reviewed_rows"] == 4
    splits = ["train", "train", "train", "val", None, "test"]
    base = base.with_columns(split_before_review=splits)
    assert review_metrics(base, base)["reviewed_rows"] == 3
