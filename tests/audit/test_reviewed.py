import numpy as np
import pandas as pd
import pytest

from ferclean.audit.examine import examine
from ferclean.audit.reviewed import with_decisions
from ferclean.tables.labels import labels_from_codes, make_table

CLASSES = ("sad", "happy", "fear")
ROWS = 60


@pytest.fixture(scope="module")
def found():
    """Examine labels as training saw them: rows 0 to 2 are decided, s9999 was taken out."""
    random = np.random.default_rng(0)
    members = random.dirichlet(np.full(3, 0.4), ROWS)[None]
    labels = members[0].argmax(axis=1)
    labels[10:20] = (labels[10:20] + 1) % 3
    copies = {"exact_copies": np.zeros(ROWS, dtype=np.int32)}
    return examine(members, labels, CLASSES, names(), evidence=copies)


def names():
    return np.array([f"s{i:04d}" for i in range(ROWS)], dtype=object)


def reviewed(found, rows=("keep", "relabel", "ambiguous")):
    seen = pd.Categorical(found.table["given_label"], categories=CLASSES).codes[:3].astype(int)
    before = [seen[0], (seen[1] + 1) % 3, seen[2], 0, 0]
    label = [seen[0], seen[1], -1, -1, -1]
    frame = pd.DataFrame(
        {
            "sample_id": ["s0000", "s0001", "s0002", "s0010x", "test"],
            "path": "x",
            "split": ["train", "train", "train", "excluded", "test"],
            "reviewed_decision": [*rows, "not_a_face", "not_a_face"],
            "reviewed_label": labels_from_codes(np.array(label), CLASSES),
            "reviewed_by": "Ann",
            "reviewed_at": "2026-01-31T12:00:00Z",
            "before_review": labels_from_codes(np.array(before), CLASSES),
            "split_before_review": ["train", "train", "train", "train", "test"],
        }
    )
    return make_table(frame, CLASSES, "toy")


def test_verdicts_follow_the_decisions_and_the_rest_stays(found):
    people = reviewed(found)
    after = with_decisions(found, people).table
    assert after["sample_id"].tolist() == sorted([*names(), "s0010x"])
    table = after.set_index("sample_id")
    rows = ["s0000", "s0001", "s0002", "s0010x"]
    assert table.loc[rows, "verdict"].tolist() == ["correct", "wrong", "ambiguous", "out_of_scope"]
    before = people.frame.set_index("sample_id")["before_review"]
    assert table.loc[rows, "given_label"].tolist() == before.loc[rows].tolist()
    assert table.loc[rows[:2], "label_quality"].tolist() == [1, 0]
    assert table.loc["s0001", "suggested_label"] == table.loc["s0001", "reviewed_label"]
    assert table.loc["s0002", "suggested_label"] == table.loc["s0002", "given_label"]
    chosen = table.loc["s0001", [f"p_{name}" for name in CLASSES]]
    assert chosen.max() == 1 and chosen.sum() == 1
    lost = table.loc["s0010x"]
    assert pd.isna(lost["suggested_label"]) and pd.isna(lost["p_sad"])
    assert table.loc[rows, "reviewed_by"].tolist() == ["Ann"] * 4
    others = found.table.set_index("sample_id").index.difference(rows)
    columns = [name for name in found.table if name != "sample_id"]
    unseen = found.table.set_index("sample_id").loc[others, columns]
    pd.testing.assert_frame_equal(table.loc[others, columns], unseen, check_dtype=False)
    assert table.loc[others, "reviewed_decision"].isna().all()


def test_an_ambiguous_face_keeps_its_given_label_where_the_audit_suggested_another(found):
    given, suggested = found.table.loc[10, ["given_label", "suggested_label"]]
    assert given != suggested
    people = reviewed(found).frame.query("reviewed_decision == 'ambiguous'")
    people = people.assign(sample_id="s0010", before_review=given)
    after = with_decisions(found, make_table(people, CLASSES, "toy")).table
    assert after.loc[10, "verdict"] == "ambiguous"
    assert after.loc[10, "suggested_label"] == after.loc[10, "given_label"] == given


def test_the_summary_counts_what_the_table_holds(found):
    after = with_decisions(found, reviewed(found))
    table, summary = after.table, after.summary
    assert summary["rows"] == len(table) == ROWS + 1
    assert summary["reviewed"] == {"keep": 1, "relabel": 1, "ambiguous": 1, "not_a_face": 1}
    for name, count in summary["verdicts"].items():
        assert count == (table["verdict"] == name).sum()
    wrong = table[table["verdict"] == "wrong"]
    for name, row in summary["by_class"].items():
        assert row["rows"] == (table["given_label"] == name).sum()
        assert row["wrong"] == (wrong["given_label"] == name).sum()
        assert row["noise_rate"] == found.summary["by_class"][name]["noise_rate"]
    assert sum(pair["rows"] for pair in summary["worst_pairs"]) == len(wrong)
    assert summary["noise_rate"] == found.summary["noise_rate"]


def test_no_decision_changes_no_row(found):
    people = reviewed(found)
    after = with_decisions(found, people.take(np.zeros(len(people), dtype=bool)))
    columns = list(found.table)
    pd.testing.assert_frame_equal(after.table[columns], found.table, check_dtype=False)
    assert {k: v for k, v in after.summary.items() if k != "reviewed"} == found.summary


def test_what_was_taken_out_of_the_validation_rows_is_no_row_of_the_audit(found):
    people = reviewed(found)
    frame = people.frame.assign(split_before_review=["train", "train", "train", "val", "test"])
    after = with_decisions(found, make_table(frame, CLASSES, "toy"))
    assert after.table["sample_id"].tolist() == sorted(names())
    assert after.summary["verdicts"]["out_of_scope"] == 0
