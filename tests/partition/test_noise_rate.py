from itertools import pairwise

import numpy as np
import pytest

from ferclean.partition.noise_rate import estimated_noise_rate, unlabelled_weight_for


def test_the_rate_is_what_the_posteriors_leave():
    clean = np.array([[1, 0, 0.5, 1], [1, 1, 0, 0.5]], dtype=np.float32)
    assert estimated_noise_rate(clean) == pytest.approx(1 - 5 / 8)
    assert estimated_noise_rate(np.ones((2, 5), dtype=np.float32)) == 0.0


@pytest.mark.parametrize("clean", [np.empty((2, 0)), np.array([[0.5, np.nan]])])
def test_no_posterior_is_no_rate(clean):
    with pytest.raises(ValueError, match="finite and at least one"):
        estimated_noise_rate(clean)


@pytest.mark.parametrize(
    ("classes", "nominal", "expected"),
    [  # section 3.3 of the specification
        *((10, rate, weight) for rate, weight in ((0.2, 0), (0.5, 25), (0.8, 25), (0.9, 50))),
        *((100, rate, weight) for rate, weight in ((0.2, 25), (0.5, 150), (0.8, 150), (0.9, 150))),
    ],
)
def test_the_published_table_stands_at_its_true_noise_rates(classes, nominal, expected):
    true_rate = nominal * (classes - 1) / classes  # a new label may be the old one
    assert unlabelled_weight_for(true_rate, classes) == pytest.approx(expected)


def test_between_the_columns_entries_it_is_linear_and_beyond_them_constant():
    assert unlabelled_weight_for((0.18 + 0.45) / 2, 10) == pytest.approx(12.5)
    assert unlabelled_weight_for(0.0, 10) == 0.0 and unlabelled_weight_for(1.0, 10) == 50.0
    assert unlabelled_weight_for(0.0, 100) == 25.0 and unlabelled_weight_for(1.0, 100) == 150.0


def test_the_column_is_that_of_the_nearer_data_set():
    assert unlabelled_weight_for(0.3, 20) == unlabelled_weight_for(0.3, 7)
    assert unlabelled_weight_for(0.3, 21) == unlabelled_weight_for(0.3, 100)


@pytest.mark.parametrize("classes", [7, 100])
def test_more_noise_never_means_less_weight(classes):
    values = [unlabelled_weight_for(rate / 50, classes) for rate in range(51)]
    assert all(a <= b for a, b in pairwise(values))


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ValueError, match="noise_rate"):
        unlabelled_weight_for(rate, 7)
