import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.evaluate.detection import DETECTION_KEYS, called_wrong, detection_metrics

CASES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0])), max_size=40
)


def naive_auroc(wrong, clean):
    """Chance that a wrong label looks less clean than a right one, ties count half."""
    pairs = [(a, b) for a, w in zip(clean, wrong, strict=True) if w
             for b, v in zip(clean, wrong, strict=True) if not v]  # fmt: skip
    return sum(1.0 if a < b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def naive_f1(wrong, called):
    hits = sum(w and c for w, c in zip(wrong, called, strict=True))
    return 2 * hits / (sum(wrong) + sum(called)) if hits else 0.0


def naive_average_precision(wrong, clean):
    total, previous = 0.0, 0.0
    for cut in sorted(set(clean)):
        called = [c <= cut for c in clean]
        hits = sum(w and c for w, c in zip(wrong, called, strict=True))
        recall = hits / sum(wrong)
        total += (recall - previous) * hits / sum(called)
        previous = recall
    return total


@given(CASES, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_metrics_equal_the_naive_ones(case, threshold):
    wrong, clean = [w for w, _ in case], [c for _, c in case]
    found = detection_metrics(wrong, clean, threshold=threshold)
    assert tuple(found) == DETECTION_KEYS
    assert found["called_wrong"] == sum(c <= threshold for c in clean)
    if not any(wrong):
        assert found["auroc"] is found["f1"] is found["oracle_f1"] is None
        return
    assert found["f1"] == pytest.approx(naive_f1(wrong, [c <= threshold for c in clean]))
    assert found["average_precision"] == pytest.approx(naive_average_precision(wrong, clean))
    best = max(naive_f1(wrong, [c <= cut for c in clean]) for cut in set(clean))
    assert found["oracle_f1"] == pytest.approx(best)
    at_oracle = [c <= found["oracle_clean_probability"] for c in clean]
    assert naive_f1(wrong, at_oracle) == pytest.approx(best)
    if all(wrong):
        assert found["auroc"] is None
    else:
        assert found["auroc"] == pytest.approx(naive_auroc(wrong, clean))


def test_single_precision_at_the_cut_off_is_called_wrong():
    clean = np.float32([0.1, 0.3, 0.9])
    assert called_wrong(clean, 0.3).tolist() == [True, True, False]


def test_precision_and_recall_are_not_each_other():
    found = detection_metrics([1, 1, 1, 0, 0], [0.1, 0.2, 0.9, 0.3, 0.95], threshold=0.2)
    assert (found["precision"], found["recall"]) == pytest.approx((1, 2 / 3))
    assert (found["oracle_precision"], found["oracle_recall"]) == pytest.approx((0.75, 1))


def test_tiny_probabilities_keep_their_order():
    found = detection_metrics([True, False], [1e-30, 1e-20], threshold=0.5)
    assert found["auroc"] == 1.0


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [([], "no training row"), ([False], "no observed"), ([True], "every"), ([True, False], None)],
)
def test_the_reason_is_told(wrong, reason):
    found = detection_metrics(wrong, [0.4] * len(wrong), threshold=0.5)["unavailable"]
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    ("clean", "message"),
    [([0.5, 0.5], r"expected two \(N,\) arrays"), ([np.nan], "lie in"), ([1.5], "lie in")],
)
def test_bad_probabilities_are_refused(clean, message):
    with pytest.raises(ValueError, match=message):
        detection_metrics([True], clean, threshold=0.5)
