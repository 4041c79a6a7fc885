import numpy as np
import pandas as pd
import pytest

from ferclean.report.gallery import make_cards, sample_sheet, suspicious_rows
from ferclean.tables.labels import labels_from_codes, make_table
from fixtures.fake_run import CLASSES, make_base_table


def repaired(observed, suggested, quality, actions, sure=None):
    rows = len(observed)
    probabilities = np.full((rows, len(CLASSES)), 0.0)
    probabilities[np.arange(rows), suggested] = sure or [1.0] * rows
    frame = pd.DataFrame({"sample_id": [f"s{i}" for i in range(rows)], "path": "x.png"})
    frame = frame.assign(
        split="train",
        given=labels_from_codes(np.array(observed), CLASSES),
        observed=labels_from_codes(np.array(observed), CLASSES),
        suggested_label=labels_from_codes(np.array(suggested), CLASSES),
        label_quality=quality,
        action=actions,
        reason=None,
        **{f"p_{name}": probabilities[:, k] for k, name in enumerate(CLASSES)},
    )
    return make_table(frame, CLASSES, "d")


def test_the_least_credible_labels_come_first_and_sure_suggestions_break_ties():
    labels = repaired(
        [0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 0], [0.9, 0.2, 0.1, 0.1, 0.4, np.nan],
        ["keep", "relabel", "relabel", "relabel", "soften", None], [1, 1, 0.6, 0.8, 1, 1],
    )  # fmt: skip
    assert suspicious_rows(labels, 10).tolist() == [3, 2, 1, 4]
    assert suspicious_rows(labels, 2).tolist() == [3, 2]


def test_what_a_person_decided_is_not_suspicious_any_more():
    labels = repaired([0, 0, 0], [1, 1, 1], [0.1, 0.2, 0.3], ["relabel"] * 3)
    decided = labels.with_columns(reviewed_decision=[None, "relabel", None])
    assert suspicious_rows(labels, 10).tolist() == [0, 1, 2]
    assert suspicious_rows(decided, 10).tolist() == [0, 2]


def test_changed_and_dropped_labels_are_suspicious_whatever_their_quality():
    labels = repaired([0, 0, 0], [1, 0, 0], [0.9, 0.8, 0.7], ["relabel", "drop", "keep"])
    assert suspicious_rows(labels, 10).tolist() == [1, 0]


def test_nothing_suspicious_gives_nothing():
    labels = repaired([0, 1], [0, 1], [0.9, 0.8], ["keep", "keep"])
    assert len(suspicious_rows(labels, 10)) == 0
    assert make_cards(labels, np.array([], dtype=int), str) == []


def test_a_card_holds_the_row_and_its_likeliest_classes():
    labels = repaired([2], [3], [0.25], ["relabel"], [0.75])
    (card,) = make_cards(labels, np.array([0]), lambda name: f"picture of {name}")
    assert (card.observed, card.suggested, card.true) == ("disgusted", "happy", None)
    assert card.picture == "picture of s0"
    assert (card.bars[0].name, card.bars[0].share) == ("happy", 0.75)
    assert card.reason == ""


def test_the_sheet_prefers_pure_expressions_and_the_true_label():
    base = make_base_table(280, rate=0.4, rng=np.random.default_rng(0))
    sheet = sample_sheet(base, 4, lambda name: name)
    frame = base.frame.set_index("sample_id")
    assert [row.name for row in sheet] == list(CLASSES)
    for row in sheet:
        assert len(row.faces) == 4
        for _, sample_id in row.faces:
            assert frame.loc[sample_id, "true"] == row.name
            assert frame.loc[sample_id, f"true_p_{row.name}"] == 1.0


def test_a_class_of_compounds_only_and_a_class_without_faces():
    base = make_base_table(70, rate=0.0, rng=np.random.default_rng(0))
    true = base.codes("true")
    base.frame.loc[true == 1, [f"true_p_{CLASSES[1]}", f"true_p_{CLASSES[0]}"]] = 0.5
    base = base.take(true != 2)
    sheet = sample_sheet(base, 3, str)
    assert len(sheet[1].faces) == 3
    assert sheet[2].faces == ()


@pytest.mark.parametrize("per_class", [1, 200])
def test_any_number_of_samples(per_class):
    base = make_base_table(70, rate=0.0, rng=np.random.default_rng(0), truth=False)
    assert all(1 <= len(row.faces) <= per_class for row in sample_sheet(base, per_class, str))
