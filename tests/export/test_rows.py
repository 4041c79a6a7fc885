"""What people decided reaches every format, see also ``tests/steps/test_export.py``."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.export.layouts import FORMATS
from ferclean.export.rows import rows_of_audit, rows_of_labels
from ferclean.tables.labels import labels_from_codes, make_table

CLASSES = ("happy", "sad")


def reviewed_audit():
    """An audit of three faces, of which a person calls the last one no face."""
    return pd.DataFrame(
        {
            "sample_id": ["a.png", "b.png", "c.png"],
            "given_label": labels_from_codes(np.array([0, 1, 1]), CLASSES),
            "label_quality": [0.9, 0.1, np.nan],
            "suggested_label": labels_from_codes(np.array([0, 0, -1]), CLASSES),
            "verdict": ["correct", "wrong", "out_of_scope"],
            "p_happy": [0.9, 0.9, np.nan],
            "p_sad": [0.1, 0.1, np.nan],
        }
    )


def reviewed_labels():
    """The same as a repaired label table."""
    frame = pd.DataFrame(
        {
            "sample_id": ["a.png", "b.png", "c.png"], "path": ["a.png", "b.png", "c.png"],
            "split": ["train", "train", "excluded"],
            "observed": labels_from_codes(np.array([0, 1, 1]), CLASSES),
            "label": labels_from_codes(np.array([0, 0, -1]), CLASSES),
            "clean_probability": [0.9, 0.1, np.nan], "action": ["keep", "relabel", "drop"],
            "p_happy": [0.9, 0.9, np.nan], "p_sad": [0.1, 0.1, np.nan],
        }
    )  # fmt: skip
    return make_table(frame, CLASSES, "x")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("source", ["audit", "labels"])
def test_what_is_no_face_is_marked_or_left_out(name, source):
    rows = (
        rows_of_audit(reviewed_audit(), "x")
        if source == "audit"
        else rows_of_labels(reviewed_labels(), "x")
    )
    assert rows.frame["label"].tolist() == ["happy", "happy", "sad"]
    assert rows.dropped.tolist() == [False, False, True]
    assert rows.judged.tolist() == [True, True, False]
    layout = FORMATS[name]
    kept = rows if layout.with_dropped else rows.take(~rows.dropped)
    written = layout.arrange(kept, list(kept.frame["sample_id"]))
    text = b" ".join([*written.files.values(), *map(str.encode, written.pictures)])
    marked = b"out_of_scope" in text or b"drop" in text
    assert (b"c.png" in text) == (layout.with_dropped and name != "cleanlab")
    assert marked or b"c.png" not in text


def test_another_classs_name_is_refused():
    frame = reviewed_audit().astype({"given_label": object, "suggested_label": object})
    frame.loc[0, "suggested_label"] = "joy"
    with pytest.raises(FercleanError, match="'joy' is none of the classes happy, sad"):
        rows_of_audit(frame, "x")


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("verdict", 1, "bogus", "x: verdict 'bogus'"),
        ("verdict", 1, None, "row 2 has no verdict"),
        ("sample_id", 0, None, "row 1 has no sample_id"),
        ("sample_id", 1, "a.png", "names the sample 'a.png' twice"),
        ("given_label", 2, None, "row 3 has no given_label"),
        ("suggested_label", 1, None, "row 2 has no suggested_label"),
        ("label_quality", 0, 5.0, "'label_quality' must lie between 0 and 1"),
        ("label_quality", 0, "good", "'label_quality' must hold numbers"),
        ("p_sad", 0, -0.1, "'p_sad' must lie between 0 and 1"),
        ("p_sad", 0, "much", "'p_sad' must hold numbers"),
    ],
)
def test_an_audit_that_was_edited_into_something_else_is_refused(column, row, value, message):
    frame = (
        reviewed_audit().astype({column: object}) if isinstance(value, str) else reviewed_audit()
    )
    frame.loc[row, column] = value
    with pytest.raises(FercleanError, match=message):
        rows_of_audit(frame, "x")


def test_a_carriage_return_in_a_name_ends_no_line_of_a_table(tmp_path):
    frame = reviewed_audit().assign(sample_id=["a\rb.png", "b.png", "c.png"])
    rows = rows_of_audit(frame, "x")
    (tmp_path / "labels.csv").write_bytes(
        FORMATS["csv"].arrange(rows, list(rows.frame["sample_id"])).files["labels.csv"]
    )
    with (tmp_path / "labels.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [row["sample_id"] for row in found] == frame["sample_id"].tolist()
