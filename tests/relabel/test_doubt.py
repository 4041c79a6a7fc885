import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.relabel.doubt import decide_by_doubt

Q = {"aleatoric_quantile": 0.8, "epistemic_quantile": 0.9}


def make_data(seed, rows=60):
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.ones(3), rows).astype(np.float32)
    doubts = {name: random.random(rows) for name in ("aleatoric", "epistemic")}
    return p, random.integers(0, 3, rows), random.random(rows), doubts


@given(st.integers(0, 1000))
def test_the_table_row_by_row(seed):
    p, y, clean, doubts = make_data(seed)
    found = decide_by_doubt(p, y, clean, **doubts, **Q)
    limits = {
        name: np.sort(values)[int(Q[f"{name}_quantile"] * (len(values) - 1))]
        for name, values in doubts.items()
    }
    for row in range(len(y)):
        hard = doubts["epistemic"][row] > limits["epistemic"]
        ambiguous = doubts["aleatoric"][row] > limits["aleatoric"]
        contradicted = p[row].argmax() != y[row]
        if not hard and ambiguous:
            expected = ("soften", y[row], p[row])
        elif not hard and contradicted:
            expected = ("relabel", p[row].argmax(), p[row])
        else:
            expected = ("keep", y[row], np.eye(3)[y[row]])
        assert (found.action[row], found.label[row]) == expected[:2]
        np.testing.assert_array_equal(found.distribution[row], expected[2])
        word = "epistemic" if hard else "aleatoric" if ambiguous else "softmax"
        word = "contradicts" if word == "softmax" and contradicted else word
        assert word in found.reason[row]
    np.testing.assert_array_equal(found.weight, 1)
    np.testing.assert_allclose(found.clean_probability, clean, rtol=1e-6)
    np.testing.assert_array_equal(found.action == "relabel", found.label != y)


def test_equal_doubts_are_low():
    p, y, clean, _ = make_data(0)
    same = np.zeros(len(y))
    found = decide_by_doubt(p, y, clean, aleatoric=same, epistemic=same, **Q)
    np.testing.assert_array_equal(found.label, p.argmax(axis=1))


@pytest.mark.parametrize(("name", "word"), [("epistemic", "keep"), ("aleatoric", "soften")])
def test_the_lowest_quantile_takes_all_but_the_surest_row(name, word):
    p, y, clean, doubts = make_data(1)
    p = np.eye(3, dtype=np.float32)[y]  # nothing is contradicted
    quantiles = {"aleatoric_quantile": 1.0, "epistemic_quantile": 1.0, f"{name}_quantile": 0.0}
    found = decide_by_doubt(p, y, clean, **doubts, **quantiles)
    surest = doubts[name].argmin()
    touched = np.array([name in reason for reason in found.reason])
    assert not touched[surest] and touched.sum() == len(y) - 1
    assert set(found.action[touched]) == {word}


def test_ties_go_to_the_observed_label_and_no_rows_are_no_rows():
    tie, low = np.array([[0.5, 0.5, 0.0]], dtype=np.float32), np.zeros(1)
    found = decide_by_doubt(tie, np.array([1]), low, aleatoric=low, epistemic=low, **Q)
    assert (found.label[0], found.action[0]) == (1, "keep")
    none = np.zeros(0)
    found = decide_by_doubt(
        np.zeros((0, 3)), np.zeros(0, dtype=int), none, aleatoric=none, epistemic=none, **Q
    )
    assert len(found.label) == 0
