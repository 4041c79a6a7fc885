import numpy as np
import pytest

from ferclean.predict.doubt import doubts


def entropy(row):
    return -sum(p * np.log(p) for p in row if p > 0)


def test_entropy_and_disagreement_are_those_of_naive_loops():
    random = np.random.default_rng(0)
    members = random.dirichlet(np.ones(4), size=(3, 20)).astype(np.float32)
    prediction = random.dirichlet(np.ones(4), size=20).astype(np.float32)
    found = doubts(members, prediction, {})
    assert set(found) == {"entropy", "disagreement"}
    for row in range(20):
        own = [entropy(member[row]) for member in members]
        shared = entropy(np.mean([member[row] for member in members], axis=0))
        assert found["entropy"][row] == pytest.approx(entropy(prediction[row]), abs=1e-6)
        assert found["disagreement"][row] == pytest.approx(shared - np.mean(own), abs=1e-6)


def test_one_network_cannot_disagree_and_equal_ones_do_not():
    one = np.full((1, 2, 3), 1 / 3, dtype=np.float32)
    assert set(doubts(one, one[0], {})) == {"entropy"}
    assert np.allclose(doubts(np.repeat(one, 4, axis=0), one[0], {})["disagreement"], 0)


def test_what_the_method_tells_apart_stands_alone_and_the_rest_beside():
    members = np.full((2, 2, 3), 1 / 3, dtype=np.float32)
    both = {name: np.zeros(2, np.float32) for name in ("aleatoric", "epistemic", "total")}
    assert set(doubts(members, members[0], both)) == set(both)
    other = doubts(members, members[0], {"relative": np.ones(2, np.float32)})
    assert set(other) == {"entropy", "disagreement", "relative"}
