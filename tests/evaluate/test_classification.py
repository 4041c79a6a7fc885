import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.evaluate.classification import classification_metrics, confusion_counts

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


def naive_metrics(pairs):
    """Count by hand, class by class."""
    recalls, f1s = [], []
    for k in sorted({code for pair in pairs for code in pair}):
        hits = sum(t == k and p == k for t, p in pairs)
        true, predicted = sum(t == k for t, _ in pairs), sum(p == k for _, p in pairs)
        if true:
            recalls.append(hits / true)
        f1s.append(2 * hits / (true + predicted))
    return sum(t == p for t, p in pairs) / len(pairs), np.mean(recalls), np.mean(f1s)


@given(PAIRS)
def test_metrics_equal_the_naive_count(pairs):
    truth, predicted = map(np.array, zip(*pairs, strict=True))
    found = classification_metrics(truth, predicted)
    accuracy, recall, f1 = naive_metrics(pairs)
    assert found["accuracy"] == pytest.approx(accuracy)
    assert found["mean_class_accuracy"] == pytest.approx(recall)
    assert found["macro_f1"] == pytest.approx(f1)


@given(PAIRS)
def test_confusion_equals_the_naive_count(pairs):
    truth, predicted = map(np.array, zip(*pairs, strict=True))
    expected = np.zeros((5, 5), dtype=int)
    for t, p in pairs:
        expected[t, p] += 1
    assert np.array_equal(confusion_counts(truth, predicted, 5), expected)


def test_one_class_alone_is_measured():
    found = classification_metrics([2, 2, 2], [2, 2, 0])
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["mean_class_accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx(0.4)  # classes 0 (F1 0) and 2 (F1 0.8)


def test_no_rows_give_nothing():
    assert set(classification_metrics([], []).values()) == {None}
    assert confusion_counts([], [], 3).sum() == 0


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([0], [0, 1], "two"),
        ([-1], [0], "negative"),
        ([0], [-1], "negative"),
        ([3], [0], "below"),
    ],
)
def test_bad_codes_are_refused(truth, predicted, message):
    with pytest.raises(ValueError, match=message):
        confusion_counts(truth, predicted, 3)
