import json

import numpy as np
import pytest

from ferclean.audit.auditor import audit_labels
from ferclean.audit.findings import findings_table, summary, verdicts

CLASSES = ("sad", "happy", "angry")


@pytest.fixture(scope="module")
def audited():
    random = np.random.default_rng(0)
    truth = random.dirichlet(np.full(3, 0.3), 600)
    labels = truth.argmax(axis=1)
    labels = np.where(random.random(600) < 0.2, (labels + 1) % 3, labels)
    return audit_labels(truth, labels), labels


def table_of(audit, labels, names=None):
    return findings_table(audit, labels, CLASSES, names, verdict=verdicts(audit, labels))


def summary_of(audit, labels):
    return summary(audit, labels, CLASSES, verdict=verdicts(audit, labels))


def test_a_verdict_follows_cut_off_and_suggestion(audited):
    audit, labels = audited
    for row, verdict in enumerate(verdicts(audit, labels)):
        if not audit.is_wrong[row]:
            assert verdict == "correct"
        elif audit.posterior[row].argmax() == labels[row]:
            assert verdict == "ambiguous"
        else:
            assert verdict == "wrong"
    assert set(verdicts(audit, labels)) == {"correct", "wrong", "ambiguous"}


def test_the_table_keeps_the_order_and_names_classes(audited):
    audit, labels = audited
    names = np.array([f"face {row}" for row in range(600)])[::-1]
    table = table_of(audit, labels, names)
    assert table["sample_id"].tolist() == names.tolist()
    assert table["given_label"].tolist() == [CLASSES[k] for k in labels]
    assert table["suggested_label"].tolist() == [CLASSES[k] for k in audit.suggested_label]
    np.testing.assert_array_equal(table["label_quality"], audit.label_quality)
    columns = [f"p_{name}" for name in CLASSES]
    np.testing.assert_array_equal(table[columns].to_numpy(), audit.posterior)
    assert table_of(audit, labels)["sample_id"].tolist() == list(range(600))


def test_the_summary_counts_what_the_table_holds(audited):
    audit, labels = audited
    table = table_of(audit, labels)
    found = summary_of(audit, labels)
    assert json.loads(json.dumps(found)) == found
    assert found["rows"] == 600 and sum(found["verdicts"].values()) == 600
    assert found["verdicts"]["wrong"] == (table["verdict"] == "wrong").sum()
    wrong = table[table["verdict"] == "wrong"]
    for name in CLASSES:
        own = table[table["given_label"] == name]
        assert found["by_class"][name]["rows"] == len(own)
        assert found["by_class"][name]["wrong"] == (own["verdict"] == "wrong").sum()
        rate = 1 - own["label_quality"].mean()
        assert found["by_class"][name]["noise_rate"] == pytest.approx(rate, abs=1e-5)
    pairs = wrong.groupby(["given_label", "suggested_label"], observed=True).size()
    told = {(pair["given"], pair["suggested"]): pair["rows"] for pair in found["worst_pairs"]}
    assert told == pairs.to_dict()
    counts = [pair["rows"] for pair in found["worst_pairs"]]
    assert counts == sorted(counts, reverse=True)
    low, high = found["noise_rate_bounds"]
    assert low <= found["noise_rate"] <= high


def test_a_class_without_rows_and_no_rows_at_all():
    audit = audit_labels(np.eye(3)[[0, 1]], np.array([0, 1]))
    found = summary_of(audit, np.array([0, 1]))
    assert found["by_class"]["angry"] == {"rows": 0, "noise_rate": None, "wrong": 0}
    assert found["worst_pairs"] == [] and found["verdicts"]["correct"] == 2
    empty = np.empty(0, int)
    nothing = summary_of(audit_labels(np.empty((0, 3)), empty), empty)
    assert nothing["rows"] == 0 and nothing["noise_rate_bounds"] == [0.0, 0.0]
