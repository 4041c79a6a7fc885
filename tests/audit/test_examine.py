import numpy as np
import pytest

from ferclean.audit.auditor import audit_labels
from ferclean.audit.examine import examine
from ferclean.audit.neighbours import look_around

CLASSES = ("sad", "happy")


@pytest.fixture(scope="module")
def rows():
    """Two clusters of faces, every tenth label flipped, and one row unlike all others."""
    random = np.random.default_rng(0)
    true = np.arange(400) % 2
    features = np.eye(3)[true] + random.normal(0, 0.02, (400, 3))
    features[7] = [0, 0, 1]
    probabilities = np.where(np.arange(2) == true[:, None], 0.9, 0.1)
    labels = np.where(np.arange(400) % 10 == 0, 1 - true, true)
    return np.stack([probabilities, probabilities]), labels, features


def test_the_table_says_what_the_audit_says(rows):
    members, labels, _ = rows
    found = examine(members, labels, CLASSES)
    audit = audit_labels(members, labels)
    np.testing.assert_array_equal(found.table["label_quality"], audit.label_quality)
    np.testing.assert_array_equal(found.table["verdict"] == "wrong", np.arange(400) % 10 == 0)
    assert found.summary["verdicts"]["wrong"] == 40
    assert found.summary["noise_rate"] == audit.noise_rate
    assert "neighbour_distance" not in found.table and "disagreement" in found.table


def test_only_neighbours_put_a_row_out_of_scope(rows):
    members, labels, features = rows
    around = look_around(features, labels, classes=2)
    found = examine(members, labels, CLASSES, around=around)
    assert np.flatnonzero(found.table["verdict"] == "out_of_scope").tolist() == [7]
    assert found.summary["verdicts"]["out_of_scope"] == 1
    np.testing.assert_array_equal(found.table["neighbour_distance"], around.distance)


def test_further_evidence_stands_behind_the_rest(rows):
    members, labels, _ = rows
    names = np.array([f"face {row}" for row in range(400)])
    copies = np.arange(400) % 3
    found = examine(members, labels, CLASSES, names, evidence={"copies": copies})
    assert found.table["sample_id"].tolist() == names.tolist()
    assert found.table.columns[-1] == "copies"
    np.testing.assert_array_equal(found.table["copies"], copies)
