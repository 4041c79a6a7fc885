import dataclasses

import numpy as np
import pandas as pd
import pytest

from ferclean.report.contents import PreparedData, RunData, judged_rows
from ferclean.report.overview import data_section, detection_curve
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


def test_it_is_said_whether_people_stand_in_two_splits():
    prepared = make_prepared([])
    assert "does not say who" in data_section(prepared)["identities"]
    prepared.summaries["ingest"] = {"identities_in_several_splits": 1234}
    assert data_section(prepared)["identities"].endswith("more than one split: 1,234.")


def make_run(observed, true, quality):
    classes, rows = ("happy", "sad"), len(observed)
    columns = {
        "sample_id": [f"{row:03d}" for row in range(rows)], "path": "x", "split": "train",
        "observed": labels_from_codes(np.array(observed), classes),
        "clean_probability": quality,
    }  # fmt: skip
    if true is not None:
        columns["true"] = labels_from_codes(np.array(true), classes)
    labels = make_table(pd.DataFrame(columns), classes, "x")
    empty = pd.DataFrame()
    return RunData("n/smr", "n", "smr", {}, empty, empty, empty, empty, labels)


def test_the_detection_curve_is_that_of_a_loop():
    random = np.random.default_rng(0)
    true, observed = random.integers(2, size=60), random.integers(2, size=60)
    true[:5] = -1  # nobody knows
    quality = random.random(60)
    quality[5:8] = np.nan  # not judged
    recall, precision = detection_curve(make_run(observed, true, quality))
    judged = [k for k in range(60) if true[k] >= 0 and np.isfinite(quality[k])]
    wrong = [k for k in judged if true[k] != observed[k]]
    expected = set()
    for cut in judged:
        called = [k for k in judged if quality[k] <= quality[cut]]
        hits = len(set(called) & set(wrong))
        expected.add((round(100 * hits / len(wrong), 6), round(100 * hits / len(called), 6)))
    drawn = set(zip(np.round(recall, 6), np.round(precision, 6), strict=True))
    assert drawn == {pair for pair in expected if pair in drawn} and len(drawn) >= 50
    assert recall == sorted(recall)


def test_what_people_decided_counts_neither_as_ranked_nor_as_judged():
    run = make_run([0, 0, 1, 1, 0], [0, 1, 1, 0, 1], [0.9, 0.1, 0.8, 0.2, np.nan])
    frame = run.labels.frame.assign(
        label_quality=[0.9, 0.1, 0.8, 1.0, 1.0],
        reviewed_decision=[None, None, None, "keep", "keep"],
    )
    labels = make_table(frame, run.labels.classes, "x")
    assert judged_rows(labels).frame["sample_id"].tolist() == ["000", "001", "002", "003"]
    undecided = make_run([0, 0, 1], [0, 1, 1], [0.9, 0.1, 0.8])
    found = detection_curve(dataclasses.replace(run, labels=labels))
    assert found == detection_curve(undecided) != detection_curve(run)


@pytest.mark.parametrize("true", [None, [0, 0, 1], [1, 1, 0], [-1, -1, -1]])
def test_without_known_errors_there_is_no_curve(true):
    assert detection_curve(make_run([0, 0, 1], true, [0.1, 0.2, 0.3])) is None
