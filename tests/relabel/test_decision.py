import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.relabel.decision import decide

REASONS = ("kept", "relabelled", "softened")


def decided(distribution, observed, clean, threshold=0.5):
    return decide(
        np.array(distribution, dtype=float),
        np.array(observed),
        np.array(clean, dtype=float),
        threshold=threshold,
        reasons=REASONS,
    )


def test_each_action_with_its_reason():
    found = decided([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]], [0, 0, 0], [0.9, 0.9, 0.2])
    assert found.action.tolist() == ["keep", "relabel", "soften"]
    assert found.reason.tolist() == list(REASONS)
    assert found.label.tolist() == [0, 1, 0]


def test_a_row_at_the_threshold_is_softened():
    assert decided([[0.9, 0.1]], [0], [0.5]).action.tolist() == ["soften"]


def test_a_tie_goes_to_the_observed_label():
    assert decided([[0.5, 0.5]], [1], [0.9]).label.tolist() == [1]


def test_nearly_equal_is_no_tie():
    found = decided([[0.4999, 0.5001]], [0], [0.9])
    assert found.label.tolist() == [1] and found.action.tolist() == ["relabel"]


def test_no_rows_no_decisions():
    found = decide(np.empty((0, 3)), np.empty(0, int), np.empty(0), threshold=0.5, reasons=REASONS)
    assert found.label.shape == (0,) and found.distribution.shape == (0, 3)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="equal length"):
        decided([[1.0, 0.0]], [0, 1], [0.5, 0.5])
    with pytest.raises(ValueError, match="equal length"):
        decided([[1.0, 0.0], [1.0, 0.0]], [0, 1], [0.5])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(2, 6), st.integers(0, 1000))
def test_action_is_relabel_exactly_when_the_label_changes(rows, classes, seed):
    random = np.random.default_rng(seed)
    observed = random.integers(classes, size=rows)
    distribution, clean = random.dirichlet(np.ones(classes), rows), random.random(rows)
    found = decided(distribution, observed, clean)
    np.testing.assert_array_equal(found.clean_probability, clean.astype(np.float32))
    np.testing.assert_array_equal(found.distribution, distribution.astype(np.float32))
    assert ((found.action == "relabel") == (found.label != observed)).all()
    assert (found.weight == 1).all()
