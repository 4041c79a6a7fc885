from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ferclean.audit.translation import directed_share, label_meaning, translate


def distributions(rows, classes):
    return arrays.arrays(np.float64, (rows, classes), elements=st.floats(0.01, 1.0)).map(
        lambda values: values / values.sum(axis=1, keepdims=True)
    )


CASES = st.tuples(st.integers(1, 12), st.integers(2, 5)).flatmap(
    lambda shape: st.tuples(
        distributions(*shape),
        arrays.arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)),
        distributions(3, shape[1]),
        st.floats(0.2, 4.0),
        st.floats(0.0, 1.0),
    )
)


@given(case=CASES)
def test_both_are_the_sums_that_they_are_written_as(case):
    posterior, labels, said, temperature, share = case
    classes = posterior.shape[1]
    meaning = label_meaning(posterior, labels)
    for label in range(classes):
        rows = [posterior[n] for n in range(len(labels)) if labels[n] == label]
        wanted = np.eye(classes)[label] if not rows else sum(rows) / len(rows)
        np.testing.assert_allclose(meaning[label], wanted, atol=1e-12)
    found = translate(said, meaning, temperature=temperature, share=share)
    assert found.dtype == np.float32
    for n, row in enumerate(said):
        sure = [p ** (1 / temperature) for p in row]
        sure = [p / sum(sure) for p in sure]
        for k in range(classes):
            translated = sum(sure[j] * meaning[j, k] for j in range(classes))
            wanted = (1 - share) * row[k] + share * translated
            assert found[n, k] == pytest.approx(wanted, abs=1e-6)


def test_without_errors_or_without_belief_nothing_changes():
    said = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    posterior, labels = np.eye(3)[[0, 1, 2, 2]], np.array([0, 1, 2, 2])
    meaning = label_meaning(posterior, labels)
    np.testing.assert_array_equal(meaning, np.eye(3))
    np.testing.assert_allclose(translate(said, meaning, temperature=1.0, share=1.0), said)
    other = np.full((3, 3), 1 / 3)
    np.testing.assert_allclose(translate(said, other, temperature=3.0, share=0.0), said)


def test_annotators_who_take_neutral_for_sad_are_corrected():
    """Two thirds of what they call sad is neutral; they never call sad neutral."""
    random = np.random.default_rng(0)
    true = random.integers(2, size=4000)  # 0 neutral, 1 sad
    called_sad = (true == 1) | (random.random(4000) < 2 / 3)
    labels = called_sad.astype(int)
    posterior = np.where(called_sad[:, None], [0.4, 0.6], [1.0, 0.0])
    meaning = label_meaning(posterior, labels)
    # For a neutral face the network says "sad" in two of three cases, as they would.
    found = translate(np.array([[1 / 3, 2 / 3]]), meaning, temperature=1.0, share=1.0)
    np.testing.assert_allclose(found, [[1 / 3 + 2 / 3 * 0.4, 2 / 3 * 0.6]], atol=1e-6)
    assert found.argmax() == 0


@pytest.mark.slow
@given(case=CASES)
def test_the_directed_share_is_counted_pair_by_pair(case):
    posterior, labels, *_ = case
    meaning, classes = label_meaning(posterior, labels), posterior.shape[1]
    joint = [[sum(p[k] for p, y in zip(posterior, labels, strict=True) if y == j)
              for k in range(classes)] for j in range(classes)]  # fmt: skip
    pairs = [(joint[j][k], joint[k][j]) for j in range(classes) for k in range(j)]
    wanted = sum(abs(a - b) for a, b in pairs) / sum(a + b for a, b in pairs)
    assert directed_share(meaning, labels) == pytest.approx(wanted, abs=1e-9)


def test_errors_that_go_one_way_are_told_from_those_that_go_both():
    labels = np.repeat([0, 1], 50)
    both = np.where(labels[:, None] == 0, [0.8, 0.2], [0.2, 0.8])
    one = np.where(labels[:, None] == 0, [0.6, 0.4], [0.0, 1.0])
    assert directed_share(label_meaning(both, labels), labels) == pytest.approx(0.0, abs=1e-12)
    assert directed_share(label_meaning(one, labels), labels) == pytest.approx(1.0)
    assert directed_share(np.eye(2), labels) == 0.0
    assert directed_share(np.eye(2), labels[:0]) == 0.0


def test_no_row_means_that_labels_mean_themselves():
    empty = label_meaning(np.empty((0, 4)), np.empty(0, dtype=np.int64))
    np.testing.assert_array_equal(empty, np.eye(4))
    assert translate(np.empty((0, 4)), empty, temperature=2.0, share=0.5).shape == (0, 4)
