import numpy as np
import pytest

from ferclean.audit.evidence import model_evidence, neighbour_evidence
from ferclean.audit.neighbours import look_around


def test_each_column_is_what_its_name_says():
    random = np.random.default_rng(0)
    members = random.dirichlet(np.full(4, 0.5), (3, 30)).astype(np.float32)
    members[0, 3] = [1, 0, 0, 0]  # no logarithm of 0
    labels = random.integers(4, size=30)
    found = model_evidence(members, labels)
    for row in range(30):
        mean, y = members[:, row].mean(axis=0), labels[row]
        entropies = [-sum(v * np.log(v) for v in one[row] if v > 0) for one in members]
        whole = -sum(v * np.log(v) for v in mean if v > 0)
        expected = {
            "given_probability": mean[y],
            "margin": mean[y] - max(mean[k] for k in range(4) if k != y),
            "similarity": mean[y] / np.sqrt(sum(mean**2)),
            "aleatoric_entropy": np.mean(entropies),
            "disagreement": whole - np.mean(entropies),
        }
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert found[name][row] == pytest.approx(value, abs=1e-5)
            assert found[name].dtype == np.float32


def test_one_model_cannot_disagree_with_itself():
    members = np.full((1, 5, 2), 0.5, dtype=np.float32)
    assert "disagreement" not in model_evidence(members, np.zeros(5, dtype=int))


def test_neighbours_agreement_is_their_vote_for_the_given_label():
    features = np.random.default_rng(0).normal(size=(40, 3))
    labels = np.arange(40) % 3
    around = look_around(features, labels, classes=3)
    found = neighbour_evidence(around, labels)
    for row in range(40):
        assert found["neighbour_agreement"][row] == around.votes[row, labels[row]]
    assert found["neighbour_distance"] is around.distance
