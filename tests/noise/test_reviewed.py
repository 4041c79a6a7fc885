import numpy as np
import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.noise.reviewed import with_review
from ferclean.tables.labels import REVIEWED_COLUMNS, labels_from_codes, make_table
from ferclean.tables.review import Decision

CLASSES = ("sad", "happy", "fear")
SPLITS = ["train"] * 4 + ["val", "val", "test", "test"]


def table(observed=(0, 1, 2, 0, 1, 2, 0, 1)):
    labels = labels_from_codes(np.array(observed), CLASSES)
    frame = pd.DataFrame({"sample_id": [f"s{i}" for i in range(8)], "path": "x", "split": SPLITS})
    return make_table(frame.assign(given=labels, observed=labels), CLASSES, "toy")


def decided(row, decision, label="", given=None):
    name = given if given is not None else CLASSES[[0, 1, 2, 0, 1, 2, 0, 1][row % 8]]
    return Decision(f"s{row}", name, decision, label, "Ann", "2026-01-31T12:00:00Z")


def reviewed(*decisions, compare_given=True, of=None):
    return with_review(of or table(), decisions, compare_given=compare_given, source="review.csv")


def test_a_decided_label_is_observed_and_all_else_stays():
    found, summary = reviewed(
        decided(0, "relabel", "fear"), decided(1, "keep", "happy"), decided(4, "relabel", "sad")
    )
    assert found.codes("observed").tolist() == [2, 1, 2, 0, 0, 2, 0, 1]
    assert found.codes("given").tolist() == table().codes("given").tolist()
    assert found.codes("before_review").tolist() == [0, 1, -1, -1, 1, -1, -1, -1]
    assert found.codes("reviewed_label").tolist() == [2, 1, -1, -1, 0, -1, -1, -1]
    assert found.frame["reviewed_by"].fillna("").tolist()[:3] == ["Ann", "Ann", ""]
    assert found.frame["split"].tolist() == SPLITS
    assert set(REVIEWED_COLUMNS) == set(found.frame) - set(table().frame)
    assert summary == {
        "decided": 3, "keep": 1, "relabel": 2, "ambiguous": 0, "not_a_face": 0,
        "test_rows": 0, "stale": 0, "first_stale": None, "unknown": 0,
    }  # fmt: skip


def test_what_is_no_face_leaves_training_and_the_ambiguous_stays():
    found, summary = reviewed(
        decided(2, "not_a_face"), decided(5, "not_a_face"), decided(3, "ambiguous")
    )
    assert found.frame["split"].tolist() == [
        "train", "train", "excluded", "train", "val", "excluded", "test", "test"
    ]  # fmt: skip
    assert found.codes("observed").tolist() == table().codes("observed").tolist()
    before = found.frame["split_before_review"].astype(object)
    assert before.where(before.notna(), None).tolist() == [
        None, None, "train", "train", None, "val", None, None
    ]  # fmt: skip
    assert (summary["not_a_face"], summary["ambiguous"]) == (2, 1)


def test_test_rows_stay_as_they_are_but_the_decision_is_on_record():
    found, summary = reviewed(decided(6, "relabel", "fear"), decided(7, "not_a_face"))
    assert found.frame["split"].tolist() == SPLITS
    assert found.codes("observed").tolist() == table().codes("observed").tolist()
    assert found.codes("reviewed_label")[6] == 2
    assert summary["test_rows"] == 2


def test_a_decision_about_another_label_is_stale_unless_noise_was_injected():
    stale = decided(0, "relabel", "happy", given="fear")
    found, summary = reviewed(stale, decided(1, "keep", "happy"))
    assert found.codes("observed")[0] == 0
    assert (summary["stale"], summary["first_stale"], summary["decided"]) == (1, "s0", 1)
    found, summary = reviewed(stale, compare_given=False)
    assert found.codes("observed")[0] == 1
    assert summary["stale"] == 0


def test_before_review_is_the_injected_label_not_the_given_one():
    noisy = table().with_columns(observed=table((1, 2, 0, 1, 2, 0, 1, 2)).frame["observed"])
    found, _ = reviewed(
        decided(0, "relabel", "fear"), decided(5, "ambiguous"), compare_given=False, of=noisy
    )
    assert found.codes("before_review").tolist() == [1, -1, -1, -1, -1, 0, -1, -1]
    assert found.codes("observed").tolist() == [2, 2, 0, 1, 2, 0, 1, 2]


def test_unknown_samples_are_counted_but_a_file_of_another_data_set_is_refused():
    stranger = Decision("other", "sad", "keep", "sad", "Ann", "2026-01-31T12:00:00Z")
    _, summary = reviewed(stranger, decided(1, "keep", "happy"))
    assert (summary["unknown"], summary["decided"]) == (1, 1)
    with pytest.raises(FercleanError, match=r"review.csv decides about no sample .*'other'"):
        reviewed(stranger)


def test_a_label_must_be_a_class():
    with pytest.raises(FercleanError, match=r"label 'joy' of 's0' is none of the classes \(sad"):
        reviewed(decided(0, "relabel", "joy"))


def test_no_decision_changes_nothing_but_adds_the_columns():
    found, summary = reviewed()
    assert found.frame[list(table().frame)].equals(table().frame)
    assert found.frame[list(REVIEWED_COLUMNS)].isna().all().all()
    assert summary["decided"] == 0
