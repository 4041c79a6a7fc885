import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.partition.selection import select_uniformly, trusted_weights


def naive(divergence, observed, classes, limit, slack):
    """UNICON's Algorithm 1 in plain loops, without its defects."""
    threshold = sum(divergence) / len(divergence)
    if threshold > limit:
        threshold -= (threshold - min(divergence)) / slack
    share = sum(d < threshold for d in divergence) / len(divergence)
    quota = int(share * len(divergence) / classes)
    chosen = []
    for label in range(classes):
        rows = [i for i in range(len(observed)) if observed[i] == label]
        chosen += sorted(rows, key=lambda i: divergence[i])[:quota]
    return sorted(chosen), threshold, share


@settings(max_examples=80, deadline=None)
@given(
    rows=st.integers(2, 60),
    classes=st.integers(1, 6),
    limit=st.sampled_from([0.1, 0.4, 0.7]),
    slack=st.sampled_from([1.0, 5.0]),
    levels=st.sampled_from([3, 10_000]),  # few levels: ties
    seed=st.integers(0, 10_000),
)
def test_equals_a_naive_loop(rows, classes, limit, slack, levels, seed):
    random = np.random.default_rng(seed)
    divergence = random.integers(0, levels, rows) / levels * 0.69
    divergence[0] += 0.001  # not all equal
    observed = random.integers(classes, size=rows)
    found = select_uniformly(divergence, observed, classes=classes, limit=limit, slack=slack)
    chosen, threshold, share = naive(divergence, observed, classes, limit, slack)
    if any(abs(d - threshold) < 1e-12 for d in divergence):
        return  # which side of its own mean a value falls on is left to rounding
    assert found.threshold == pytest.approx(threshold)
    assert found.share == pytest.approx(share)
    assert np.flatnonzero(found.selected).tolist() == chosen


def test_a_class_smaller_than_its_quota_gives_its_rows_once_and_row_0_does_not_stand_in():
    # In the authors' code the unused places of the buffer stay 0: picture 0 is trained on again.
    observed = np.array([1] * 90 + [0] * 5 + [2] * 5)
    divergence = np.linspace(0.05, 0.1, 100)
    divergence[:10] = 0.69  # row 0 itself does not fit its label
    found = select_uniformly(divergence, observed, classes=3, limit=0.7, slack=5)
    assert int(found.share * 100 / 3) == 30
    counts = np.bincount(observed[found.selected], minlength=3)
    assert counts.tolist() == [5, 30, 5]
    assert not found.selected[0]


def test_the_threshold_is_lowered_only_above_the_limit():
    divergence = np.array([0.2, 0.6, 0.8, 1.0, 1.0, 1.0])
    observed = np.zeros(6, dtype=int)
    mean = divergence.mean()
    below = select_uniformly(divergence, observed, classes=1, limit=0.8, slack=5)
    above = select_uniformly(divergence, observed, classes=1, limit=0.7, slack=5)
    assert below.threshold == mean
    assert above.threshold == pytest.approx(mean - (mean - 0.2) / 5)


def test_a_row_at_the_threshold_is_not_below_it():
    divergence, observed = np.array([0.0, 0.25, 0.5]), np.zeros(3, dtype=int)
    found = select_uniformly(divergence, observed, classes=1, limit=0.7, slack=5)
    assert found.threshold == 0.25 and found.share == pytest.approx(1 / 3)
    assert found.selected.tolist() == [True, False, False]


def test_equal_divergences_select_all_and_an_absent_class_nothing():
    same = select_uniformly(np.full(7, 0.3), np.zeros(7, int), classes=2, limit=0.7, slack=5)
    assert same.selected.all() and same.share == 1.0
    empty = select_uniformly(np.empty(0), np.empty(0, int), classes=2, limit=0.7, slack=5)
    assert len(empty.selected) == 0
    absent = select_uniformly(
        np.array([0.1, 0.2, 0.6]), np.array([2, 2, 2]), classes=3, limit=0.7, slack=5
    )
    assert absent.selected.tolist() == [False, False, False]  # int(2/3 * 3 / 3) is 0
    one = select_uniformly(np.array([0.1, 0.6]), np.zeros(2, int), classes=1, limit=0.7, slack=5)
    assert one.selected.tolist() == [True, False]


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="1 divergences are not finite"):
        select_uniformly(np.array([np.nan, 1.0]), np.zeros(2, int), classes=1, limit=1, slack=1)
    with pytest.raises(ValueError, match="2 divergences for 3 labels"):
        select_uniformly(np.zeros(2), np.zeros(3, int), classes=1, limit=1, slack=1)


def test_only_labels_that_diverge_are_weighed_down():
    found = trusted_weights(np.array([0.0, 0.49, 0.5, 0.69]), 0.5)
    np.testing.assert_allclose(found, [1, 1, 0.5, 0.31], rtol=1e-6)
    assert found.dtype == np.float32
