"""What people decided reaches every format, see also ``tests/steps/test_export.py``."""

from __future__ import annotations

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
