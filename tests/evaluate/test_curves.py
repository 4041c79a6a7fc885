import numpy as np
import pandas as pd
import pytest

from ferclean.evaluate.classification import classification_metrics
from ferclean.evaluate.curves import BEST_ON_TEST, METRICS, epoch_metrics, reported_metrics


def curve(*accuracies):
    return pd.DataFrame({name: np.array(accuracies, dtype=float) for name in METRICS})


def test_every_epoch_is_measured_by_its_argmax():
    rng = np.random.default_rng(0)
    probabilities, truth = rng.dirichlet(np.ones(3), (4, 20)), rng.integers(0, 3, 20)
    table = epoch_metrics(probabilities, truth)
    for epoch in range(4):
        expected = classification_metrics(truth, probabilities[epoch].argmax(axis=1))
        assert table.iloc[epoch].to_dict() == pytest.approx(expected)


def test_four_ways_of_reporting():
    found = reported_metrics(curve(0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), [0, 0, 0.7, 0, 0.7, 0, 0])
    assert found["accuracy_last_epoch"] == 0.6
    assert found["accuracy_mean_of_last_five"] == pytest.approx(0.4)
    assert found["accuracy_validation_selected"] == 0.2  # the earliest of two equal epochs
    assert found[f"accuracy_{BEST_ON_TEST}"] == 0.9
    assert "comparison_only" in BEST_ON_TEST


def test_test_rows_never_choose_the_selected_epoch():
    low, high = curve(0.1, 0.2, 0.3), curve(0.9, 0.2, 0.3)
    validation = [0.2, 0.9, 0.1]
    key = "accuracy_validation_selected"
    assert reported_metrics(low, validation)[key] == reported_metrics(high, validation)[key]


def test_without_validation_nothing_is_selected_and_few_epochs_are_averaged():
    found = reported_metrics(curve(0.2, 0.4), None)
    assert found["macro_f1_validation_selected"] is None
    assert found["macro_f1_mean_of_last_five"] == pytest.approx(0.3)


def test_without_test_rows_all_is_missing():
    found = reported_metrics(epoch_metrics(np.zeros((2, 0, 3)), []), None)
    assert set(found.values()) == {None}


def test_no_epoch_is_an_error():
    with pytest.raises(ValueError, match="at least one epoch"):
        reported_metrics(curve(), None)
