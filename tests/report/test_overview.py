import numpy as np
import pandas as pd

from ferclean.report.contents import PreparedData
from ferclean.report.overview import data_section
from ferclean.tables.labels import labels_from_codes, make_table


def make_prepared(reasons):
    frame = pd.DataFrame(
        {
            "sample_id": ["a", "b"],
            "path": ["a.png", "b.png"],
            "split": ["train", "test"],
            "given": labels_from_codes(np.array([0, 1]), ("happy", "sad")),
        }
    )
    return PreparedData(
        samples=make_table(frame, ("happy", "sad"), "two"),
        faces=np.zeros((2, 8, 8, 1), np.uint8),
        quarantine=pd.DataFrame({"step": "ingest", "reason": reasons}, dtype=object),
        duplicates=pd.DataFrame(),
        conflicts=pd.DataFrame(),
        summaries={},
    )


def test_reasons_are_counted_by_kind_and_not_by_their_detail():
    reasons = ["no face", "copy of test picture: a", "copy of test picture: b"]
    assert data_section(make_prepared(reasons))["quarantine"] == [
        ["ingest", "copy of test picture", 2],
        ["ingest", "no face", 1],
    ]


def test_an_empty_quarantine_is_no_error():
    assert data_section(make_prepared([]))["quarantine"] == []
