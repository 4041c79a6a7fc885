import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ferclean.audit import calibration
from ferclean.audit.calibration import calibrated_mean, fit_temperature
from ferclean.relabel.sharpen import sharpen


def drawn(temperature, rows=20_000, classes=5, seed=0):
    """Labels drawn from probabilities, and these made too sure by a temperature."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet(np.ones(classes), rows)
    labels = (random.random((rows, 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    return sharpen(truth, 1.0 / temperature), labels


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_made_probabilities_too_sure_is_found(temperature):
    probabilities, labels = drawn(temperature)
    assert fit_temperature(probabilities, labels) == pytest.approx(temperature, rel=0.06)


def test_no_temperature_of_a_grid_makes_the_labels_likelier():
    probabilities, labels = drawn(1.7, rows=500)
    found = fit_temperature(probabilities, labels)

    def likelihood(temperature):
        return sum(
            np.log(p[y] ** (1 / temperature) / (p ** (1 / temperature)).sum())
            for p, y in zip(probabilities, labels, strict=True)
        )

    best = max(likelihood(t) for t in np.linspace(0.5, 6, 200))
    assert likelihood(found) >= best - 1e-3


def test_a_part_of_many_rows_is_enough(monkeypatch):
    probabilities, labels = drawn(2.0)
    whole = fit_temperature(probabilities, labels)
    monkeypatch.setattr(calibration, "_MOST_ROWS", 5_000)
    assert fit_temperature(probabilities, labels) != whole
    assert fit_temperature(probabilities, labels) == pytest.approx(whole, rel=0.1)
    assert fit_temperature(probabilities, labels) == fit_temperature(probabilities, labels)


def test_the_part_is_drawn_from_all_rows(monkeypatch):
    mild, sure = drawn(1.0, rows=5_000), drawn(4.0, rows=5_000, seed=1)
    probabilities, labels = (np.concatenate(both) for both in zip(mild, sure, strict=True))
    whole = fit_temperature(probabilities, labels)
    monkeypatch.setattr(calibration, "_MOST_ROWS", 2_000)
    assert fit_temperature(probabilities, labels) == pytest.approx(whole, rel=0.1)


def test_the_largest_log_temperature_is_2():
    never_right = fit_temperature(np.eye(3), np.array([1, 2, 0]))
    assert never_right == pytest.approx(np.exp(2), rel=0.01)


def test_probabilities_of_0_and_1_stay_finite():
    certain = np.eye(3)[[0, 1, 2, 0]]
    for labels in ([0, 1, 2, 0], [1, 2, 0, 1]):
        temperature = fit_temperature(certain, np.array(labels))
        assert np.exp(-2) <= temperature <= np.exp(2)
        mean, _ = calibrated_mean(certain[None], np.array(labels))
        assert np.isfinite(mean).all()


def test_nothing_to_fit():
    assert fit_temperature(np.empty((0, 3)), np.empty(0, int)) == 1.0


def test_each_member_is_calibrated_by_itself():
    sure, labels = drawn(3.0, rows=2_000)
    mild = sharpen(sure, 6.0)
    mean, temperatures = calibrated_mean(np.stack([sure, mild]), labels)
    expected = [
        fit_temperature(sure.astype(np.float32), labels),
        fit_temperature(mild.astype(np.float32), labels),
    ]
    np.testing.assert_allclose(temperatures, expected, rtol=1e-3)
    floored = [np.maximum(p, 1e-6) for p in (sure, mild)]
    naive = sum(sharpen(p, t) for p, t in zip(floored, expected, strict=True)) / 2
    np.testing.assert_allclose(mean, naive, atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (2, 7, 3), elements=st.floats(0.0, 1.0)), st.integers(0, 9))
def test_means_are_distributions_and_keep_the_order_of_classes(raw, seed):
    members = (raw + 1e-3) / (raw + 1e-3).sum(axis=2, keepdims=True)
    labels = np.random.default_rng(seed).integers(3, size=7)
    mean, _ = calibrated_mean(members, labels)
    assert mean.dtype == np.float32 and (mean >= 0).all()
    np.testing.assert_allclose(mean.sum(axis=1), 1.0, atol=1e-5)
    alone, _ = calibrated_mean(members[:1], labels)
    order = np.take_along_axis(alone, np.argsort(members[0], axis=1), axis=1)
    assert (np.diff(order, axis=1) >= -1e-6).all()
