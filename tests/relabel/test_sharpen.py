import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.relabel.sharpen import co_refine, sharpen


def test_sharpen_equals_a_naive_loop_for_arrays_and_tensors():
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=5)
    naive = [[p**2 / sum(q**2 for q in row) for p in row] for row in rows]
    np.testing.assert_allclose(sharpen(rows, 0.5), naive)
    np.testing.assert_allclose(sharpen(torch.from_numpy(rows), 0.5).numpy(), naive)


def test_temperature_one_changes_nothing():
    rows = np.array([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(sharpen(rows, 1.0), rows)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=9), st.floats(0.005, 2.0))
def test_rows_stay_distributions_and_keep_their_largest_class(values, temperature):
    row = np.array([values]) / sum(values)
    sharpened = sharpen(row, temperature)
    assert np.isfinite(sharpened).all() and sharpened.sum() == pytest.approx(1)
    assert sharpened[0, row[0].argmax()] == sharpened.max()


def test_co_refine_between_label_and_prediction():
    given_label, predicted = np.array([[1.0, 0.0]] * 3), np.array([[0.2, 0.8]] * 3)
    refined = co_refine(given_label, predicted, np.array([1.0, 0.0, 0.5]), 1.0)
    np.testing.assert_allclose(refined, [[1, 0], [0.2, 0.8], [0.6, 0.4]])
    sharper = co_refine(given_label, predicted, np.array([1.0, 0.0, 0.5]), 0.5)
    np.testing.assert_allclose(sharper[2], [0.36 / 0.52, 0.16 / 0.52])
