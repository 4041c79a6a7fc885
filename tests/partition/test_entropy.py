from __future__ import annotations

import math

import numpy as np
import pytest

from ferclean.partition.entropy import mutual_information, row_entropy


def naive(row) -> float:
    return -sum(float(p) * math.log(float(p)) for p in row if p > 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_entropies_are_those_of_naive_loops(dtype):
    members = np.random.default_rng(0).dirichlet([0.3] * 9, size=(3, 20)).astype(dtype)
    members[0, 0] = np.eye(9)[2]
    found = row_entropy(members)
    assert found.shape == (3, 20) and found.dtype == np.float64
    expected = [[naive(row) for row in member] for member in members]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert found[0, 0] == 0
    np.testing.assert_array_equal(row_entropy(members[1]), found[1])
    assert row_entropy([[0.5, 0.5], [0.25, 0.75]])[0] == pytest.approx(math.log(2))


def test_entropy_of_what_is_unknown_is_unknown():
    assert np.isnan(row_entropy([[np.nan, 0.5], [0.5, 0.5]])).tolist() == [True, False]


def test_mutual_information_is_what_members_disagree_about():
    members = np.random.default_rng(1).dirichlet([1.0] * 4, size=(3, 10))
    found = mutual_information(row_entropy(members.mean(axis=0)), row_entropy(members))
    for row in range(10):
        of_members = [naive(member[row]) for member in members]
        of_mean = naive(members[:, row].mean(axis=0))
        assert found[row] == pytest.approx(of_mean - sum(of_members) / 3)
    assert (found > 0).all()
    same = np.repeat(members[:1], 5, axis=0)
    none = mutual_information(row_entropy(same.mean(axis=0)), row_entropy(same))
    assert (none >= 0).all() and none.max() < 1e-15
