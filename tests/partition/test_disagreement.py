import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.errors import FercleanError
from ferclean.partition.disagreement import SCORES, disagreement_score


def make_data(seed=0, rows=50, classes=4):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(classes), rows)
    return (
        probabilities,
        random.integers(0, classes, rows),
        random.uniform(0, np.log(classes), rows),
    )


@given(st.integers(0, 1000))
def test_scores_are_their_formulas_row_by_row(seed):
    p, y, aleatoric = make_data(seed)
    found = {name: disagreement_score(p, y, aleatoric, score=name) for name in SCORES}
    for row in range(len(y)):
        others = max(p[row, c] for c in range(4) if c != y[row])
        margin = others - p[row, y[row]]
        assert found["nll"][row] == pytest.approx(-np.log(p[row, y[row]]))
        assert found["margin"][row] == pytest.approx(margin)
        assert found["cds"][row] == pytest.approx(margin * (1 - aleatoric[row] / np.log(4)))


def test_a_sure_contradiction_ranks_before_an_ambiguous_one_by_cds():
    p, y = np.array([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]]), np.array([1, 1])
    sure, torn = disagreement_score(p, y, np.array([0.2, 1.0]), score="cds")
    assert sure > torn > 0


def test_an_impossible_label_has_a_finite_score():
    p, y = np.array([[1.0, 0.0], [1.0, 0.0]], dtype=np.float32), np.array([1, 0])
    worst, best = disagreement_score(p, y, np.zeros(2), score="nll")
    assert np.isfinite(worst) and worst > 80 and best == 0


def test_bad_input_is_refused():
    p, y, aleatoric = make_data()
    with pytest.raises(FercleanError, match="margin"):
        disagreement_score(p, y, aleatoric, score="loss")
    with pytest.raises(ValueError, match="finite"):
        disagreement_score(np.full_like(p, np.nan), y, aleatoric, score="nll")
