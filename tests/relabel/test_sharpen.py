import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.relabel.sharpen import co_refine, sharpen


def naive_sharpened(row, temperature):
    powers = [p ** (1 / temperature) for p in row]
    return [power / sum(powers) for power in powers]


TEMPERATURES = pytest.mark.parametrize("temperature", [0.3, 0.5, 1.0, 1.7])


@TEMPERATURES
def test_sharpen_equals_a_naive_loop_for_arrays_and_tensors(temperature):
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=5)
    naive = [naive_sharpened(row, temperature) for row in rows]
    np.testing.assert_allclose(sharpen(rows, temperature), naive)
    np.testing.assert_allclose(sharpen(torch.from_numpy(rows), temperature).numpy(), naive)


@TEMPERATURES
def test_co_refine_equals_a_naive_loop_for_arrays_and_tensors(temperature):
    random = np.random.default_rng(1)
    label, weight = np.eye(4)[random.integers(4, size=6)], random.random(6)
    predicted = random.dirichlet(np.ones(4), size=6)
    naive = [
        naive_sharpened([w * a + (1 - w) * b for a, b in zip(y, p, strict=True)], temperature)
        for w, y, p in zip(weight, label, predicted, strict=True)
    ]
    arrays = label, predicted, weight
    np.testing.assert_allclose(co_refine(*arrays, temperature), naive)
    tensors = [torch.from_numpy(array) for array in arrays]
    np.testing.assert_allclose(co_refine(*tensors, temperature).numpy(), naive)


def test_a_small_temperature_does_not_underflow():
    rows = np.float32([[0.5, 0.3, 0.2], [0.4, 0.2, 0.4]])
    expected = [[1, 0, 0], [0.5, 0, 0.5]]
    np.testing.assert_allclose(sharpen(rows, 0.005), expected, atol=1e-6)
    np.testing.assert_allclose(sharpen(torch.from_numpy(rows), 0.005), expected, atol=1e-6)


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
