import json
import re

import numpy as np
import pandas as pd
import pytest

from ferclean.report.face_sheets import sheet_layout
from ferclean.report.review_page import (
    faces_shown,
    page_data,
    render_review_page,
    rows_to_review,
)
from fixtures.review_pages import CLASSES, review_rows


def data_of(content, limit=10_000):
    rows = rows_to_review(content.table, limit)
    return page_data(content, rows, faces_shown(rows, content.nearest)), rows


def rendered(content):
    data, _ = data_of(content)
    return render_review_page(data, sheet_layout(24, 24), ["faces-0000.jpg"], title="Review")


def test_doubtful_rows_come_by_quality_and_decided_ones_after_them():
    table = review_rows(decided=4).table
    rows = rows_to_review(table)
    assert rows[-4:].tolist() == sorted(range(86, 90), key=lambda r: table["label_quality"][r])
    shown = table.iloc[rows[:-4]]
    assert (shown["verdict"] != "correct").all()
    assert shown["label_quality"].is_monotonic_increasing
    assert len(shown) == ((table["verdict"] != "correct") & table["reviewed_decision"].isna()).sum()
    assert rows_to_review(table, 5).tolist() == [*rows[:5], *rows[-4:]]


def test_the_data_say_of_each_row_what_the_audit_says():
    content = review_rows()
    data, rows = data_of(content)
    assert data["rows"] == len(rows) == 45 == data["doubted"]
    for place, row in enumerate(rows):
        entry = content.table.iloc[row]
        assert data["ids"][place] == entry["sample_id"]
        assert data["paths"][place] == f"pictures/{row}.png"
        assert CLASSES[data["given"][place]] == entry["given_label"]
        assert CLASSES[data["suggested"][place]] == entry["suggested_label"]
        assert data["verdicts"][data["verdict"][place]] == entry["verdict"]
        assert data["quality"][place] == pytest.approx(entry["label_quality"], rel=1e-2)
        names = data["bars"][place][::2]
        shares = [entry[f"p_{CLASSES[code]}"] for code in names]
        assert shares == sorted(shares, reverse=True)
        np.testing.assert_allclose(np.array(data["bars"][place][1::2]) / 1000, shares, atol=6e-4)
        near = [data["ids"][face] for face in data["near"][place]]
        assert near == [f"face-{(row + step) % 90:05d}" for step in range(1, 7)]
    assert [each["kind"] for each in data["evidence"]] == ["share", "count", "flag", "share"]
    assert data["evidence"][-1]["words"] == "elr: the label is right"
    assert data["evidence"][1]["values"] == [float(row % 3) for row in rows]


def test_decisions_that_the_labels_follow_stand_in_the_page():
    content = review_rows(decided=2)
    data, _ = data_of(content)
    assert data["decisions"][0] == {
        "sample_id": "face-00088", "given": content.table["given_label"][88], "decision": "keep",
        "label": content.table["given_label"][88], "reviewer": "Ann",
        "time": "2026-01-31T12:00:00Z",
    }  # fmt: skip


def test_a_row_without_suggestion_and_probabilities_has_neither():
    content = review_rows(decided=1)
    content.table.loc[89, "suggested_label"] = None
    content.table.loc[89, ["label_quality", *(f"p_{name}" for name in CLASSES)]] = np.nan
    content.table.loc[89, "reviewed_decision"] = "not_a_face"
    content.table.loc[89, "reviewed_label"] = None
    content.nearest[89] = -1
    data, rows = data_of(content)
    assert rows[-1] == 89
    assert (data["suggested"][-1], data["quality"][-1], data["bars"][-1]) == (-1, None, [])
    assert data["near"][-1] == []
    assert (data["decisions"][0]["decision"], data["decisions"][0]["label"]) == ("not_a_face", "")


def test_of_many_classes_the_likeliest_are_drawn():
    content = review_rows(classes=tuple(f"c{number}" for number in range(40)))
    data, _ = data_of(content)
    assert max(len(bars) for bars in data["bars"]) <= 20


def test_no_name_can_end_the_script_and_nothing_is_loaded_from_elsewhere():
    evil = "</script><img src=x onerror=alert(1)>\u2028"
    content = review_rows()
    content.table["sample_id"] = content.table["sample_id"].where(content.table.index > 0, evil)
    text = rendered(content)
    assert evil not in text and "</script><img" not in text
    inner = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert evil in json.loads(inner)["ids"]
    for pattern in (r"""(src|href)="(?!data:)""", r"https?://", r"url\(\s*['\"]?http", "@import"):
        assert not re.search(pattern, text), pattern


def test_the_same_audit_gives_the_same_page():
    assert rendered(review_rows()) == rendered(review_rows())


def test_an_audit_without_doubt_has_an_empty_page():
    content = review_rows()
    content.table["verdict"] = pd.Categorical(["correct"] * 90, categories=["correct", "wrong"])
    data, rows = data_of(content)
    assert len(rows) == data["rows"] == 0
