import dataclasses

import numpy as np
import pandas as pd
import pytest

from ferclean.report.contents import RunData
from ferclean.report.relations import label_distributions, relation_maps
from ferclean.tables.labels import labels_from_codes, make_table
from ferclean.tables.partitions import Partition

CLASSES = ("happy", "sad", "neutral")


def make_labels(suggested, observed, *, true=None, judged=None, classes=CLASSES):
    rows = len(observed)
    frame = pd.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(rows)],
            "path": "a.png",
            "split": "train",
            "observed": labels_from_codes(np.array(observed), classes),
            "clean_probability": np.where(np.ones(rows) if judged is None else judged, 0.5, np.nan),
            **{f"p_{name}": np.array(suggested)[:, k] for k, name in enumerate(classes)},
        }
    )
    if true is not None:
        frame[[f"true_p_{name}" for name in CLASSES]] = true
    return make_table(frame, classes, "faces")


SOFT = [[0.6, 0.3, 0.1], [0.4, 0.35, 0.25], [0.2, 0.7, 0.1], [0.1, 0.5, 0.4]]


def test_of_each_label_the_face_of_middling_certainty_is_shown():
    found = label_distributions(make_labels(SOFT, [0, 0, 1, 1]), lambda name: f"<{name}>")
    assert [(face.observed, face.sample_id) for face in found] == [("happy", "s1"), ("sad", "s3")]
    assert found[0].picture == "<s1>"
    three = [*SOFT[:3], [0.9, 0.05, 0.05]]
    (only,) = label_distributions(make_labels(three, [0] * 4), str)
    assert only.sample_id == "s0"  # of 0.4, 0.6, 0.7 and 0.9 the lower of the two in the middle
    assert [bar.name for bar in found[0].bars] == list(CLASSES)
    assert [bar.suggested for bar in found[0].bars] == SOFT[1]
    assert all(bar.true is None for face in found for bar in face.bars)


def test_compound_expressions_come_first_and_show_their_truth():
    true = [[0.7, 0.3, 0.0], [1.0, 0, 0], [0, 1.0, 0], [np.nan] * 3]
    found = label_distributions(make_labels(SOFT, [0, 0, 1, 1], true=true), str)
    assert [face.sample_id for face in found] == ["s0", "s3"]
    assert [bar.true for bar in found[0].bars] == true[0]
    assert [bar.true for bar in found[1].bars] == [None] * 3


def test_hard_labels_and_rows_that_nobody_judged_show_nothing():
    assert label_distributions(make_labels(np.eye(3), [0, 1, 2]), str) == []
    assert label_distributions(make_labels(SOFT, [0, 0, 1, 1], judged=np.zeros(4)), str) == []


def test_at_most_eight_faces_are_shown():
    classes = tuple("abcdefghij")
    soft = np.full((10, 10), 0.05) + 0.5 * np.eye(10)
    found = label_distributions(make_labels(soft, range(10), classes=classes), str)
    assert [face.observed for face in found] == list("abcdefgh")


def make_run(labels, evidence):
    rows = len(labels)
    partition = Partition(
        "score", np.zeros((1, rows)), np.ones((1, rows)), np.zeros((1, rows, 3)), evidence=evidence
    )
    empty = pd.DataFrame()
    first = dataclasses.replace(partition, evidence={})
    return RunData(
        "a/b", "a", "b", {}, empty, empty, empty, empty, labels, {0: first, 2: partition}
    )


def test_mean_relations_are_those_of_the_last_round_by_observed_label():
    values = np.random.default_rng(0).uniform(-1, 1, (4, 3))
    run = make_run(make_labels(SOFT, [0, 0, 1, 1]), {"semantic_similarity": values})
    (found,) = relation_maps(run)
    assert found.row_axis == "observed label" and found.column_axis == "class word"
    shown = [[cell.text for cell in cells] for _, cells in found.rows]
    means = [values[:2].mean(axis=0), values[2:].mean(axis=0)]
    assert shown[:2] == [[f"{round(v, 2) + 0.0:.2f}" for v in row] for row in means]
    assert shown[2] == ["", "", ""]  # no face is labelled neutral


@pytest.mark.parametrize("evidence", [{}, {"other": np.zeros(4)}])
def test_methods_without_relations_have_no_such_map(evidence):
    run = make_run(make_labels(SOFT, [0, 0, 1, 1]), evidence)
    assert relation_maps(run) == []
    assert relation_maps(dataclasses.replace(run, partitions={})) == []
