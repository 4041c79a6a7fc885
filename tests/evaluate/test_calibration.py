import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.evaluate.calibration import expected_calibration_error, reliability_table


def naive_error(probabilities, truth, bins):
    """Guo et al. 2017, equation 3, row by row with half-open bins (a, b]."""
    total = 0.0
    for b in range(bins):
        members = [
            (max(row), int(np.argmax(row)) == t)
            for row, t in zip(probabilities, truth, strict=True)
            if b / bins < max(row) <= (b + 1) / bins
        ]
        if members:
            confidence = sum(c for c, _ in members) / len(members)
            accuracy = sum(h for _, h in members) / len(members)
            total += len(members) / len(truth) * abs(accuracy - confidence)
    return total


@given(st.integers(0, 2**32 - 1), st.integers(1, 50), st.sampled_from([2, 5, 15]))
def test_error_equals_the_naive_sum(seed, rows, bins):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(4, 0.5), rows)
    truth = rng.integers(0, 4, rows)
    found = expected_calibration_error(reliability_table(probabilities, truth, bins=bins))
    assert found == pytest.approx(naive_error(probabilities, truth, bins), abs=1e-9)
    assert 0 <= found <= 1


@pytest.mark.parametrize("bins", [1, 4, 15])
def test_every_bin_says_its_bounds_and_means(bins):
    rng = np.random.default_rng(0)
    probabilities, truth = rng.dirichlet(np.full(4, 0.5), 80), rng.integers(0, 4, 80)
    table = reliability_table(probabilities, truth, bins=bins)
    assert table["bin"].tolist() == list(range(bins))
    for b, row in enumerate(table.itertuples()):
        assert (row.lower, row.upper) == pytest.approx((b / bins, (b + 1) / bins))
        own = [i for i, p in enumerate(probabilities) if b / bins < max(p) <= (b + 1) / bins]
        means = [np.mean([max(probabilities[i]) for i in own]) if own else np.nan,
                 np.mean([probabilities[i].argmax() == truth[i] for i in own]) if own else np.nan
                 ]  # fmt: skip
        assert row.count == len(own)
        assert [row.confidence, row.accuracy] == pytest.approx(means, nan_ok=True)


def test_sure_and_right_is_perfect_and_sure_and_wrong_is_worst():
    sure = np.eye(3)
    assert expected_calibration_error(reliability_table(sure, [0, 1, 2], bins=15)) == 0
    assert expected_calibration_error(reliability_table(sure, [1, 2, 0], bins=15)) == 1


def test_every_row_falls_into_one_bin_and_edges_belong_to_the_lower_bin():
    table = reliability_table([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]], [0, 0, 0], bins=4)
    assert table["count"].tolist() == [0, 1, 1, 1]
    assert table["accuracy"].isna().tolist() == [True, False, False, False]


def test_float32_rows_that_exceed_one_by_rounding_are_taken():
    row = np.array([[1.0000001, 0.0]], dtype=np.float32)
    assert reliability_table(row, [0], bins=3)["count"].sum() == 1


def test_no_rows_give_no_error():
    assert expected_calibration_error(reliability_table(np.zeros((0, 3)), [], bins=5)) is None


@pytest.mark.parametrize(
    ("probabilities", "truth", "bins", "message"),
    [
        ([[0.5, 0.5]], [0, 1], 5, r"found \(1, 2\), \(2,\)"),
        ([[2.0, -1.0]], [0], 5, r"lie in \[0, 1\]"),
        ([[1.0, 0.0]], [0], 0, "bins must be at least 1, found 0"),
        ([[np.nan, 0.5]], [0], 5, r"lie in \[0, 1\]"),
    ],
)
def test_bad_input_is_refused(probabilities, truth, bins, message):
    with pytest.raises(ValueError, match=message):
        reliability_table(probabilities, truth, bins=bins)
