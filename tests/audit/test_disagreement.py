import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.audit.disagreement import compare


def case(rows=400, classes=4, seed=0, flip=0.2, concentration=0.3):
    """Calibrated predictions of true labels, and given labels flipped whatever the row."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(classes, concentration), rows)
    true = (random.random((rows, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    true = true.clip(0, classes - 1)
    other = (true + random.integers(1, classes, rows)) % classes
    return probabilities, np.where(random.random(rows) < flip, other, true)


def naive(probabilities, labels):
    """Loops over rows and classes, after the module's text."""
    rows, classes = probabilities.shape
    predicted = [max(range(classes), key=lambda k: p[k]) for p in probabilities]
    lead = [sorted(p)[-1] - sorted(p)[-2] for p in probabilities]
    place = [0.0] * rows
    for k in range(classes):
        own = sorted((i for i in range(rows) if predicted[i] == k), key=lambda i: (-lead[i], i))
        for position, i in enumerate(own):
            place[i] = (position + 0.5) / len(own)
    counts = np.zeros((classes, classes))
    sure = np.zeros((classes, classes))
    for i in range(rows):
        counts[predicted[i], labels[i]] += 1
        sure[predicted[i], labels[i]] += place[i] < 0.3
    rate = sum(sure[k, j] for k in range(classes) for j in range(classes) if k != j) / sure.sum()
    flips = np.zeros((classes, classes))
    for k in range(classes):
        for j in range(classes):
            if k != j:
                share = (sure[k, j] + 5 * rate / (classes - 1)) / (sure[k].sum() + 5)
                flips[k, j] = min(counts[k, j], counts[k].sum() * share)
    ends = [0, 0.15, 0.3, 0.5, 0.75, 1]
    curve = []
    for first, last in itertools.pairwise(ends):
        inside = [i for i in range(rows) if first <= place[i] < last]
        wrong = sum(predicted[i] != labels[i] for i in inside)
        curve.append(wrong / len(inside) if inside else 0.0)
    return predicted, counts, flips, curve


@pytest.mark.parametrize(("rows", "classes"), [(400, 4), (37, 3), (9, 2), (60, 12)])
def test_it_is_the_naive_count(rows, classes):
    probabilities, labels = case(rows, classes)
    found = compare(probabilities, labels)
    predicted, counts, flips, curve = naive(probabilities, labels)
    assert found.predicted.tolist() == predicted
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.flips, flips, atol=1e-9)
    np.testing.assert_allclose(found.curve, curve)
    np.testing.assert_array_equal(found.disagreeing, counts - np.diag(np.diag(counts)))
    rise = np.log((curve[2] + 0.01) / (curve[0] + 0.01))
    assert found.steepness == pytest.approx(rise)


def test_random_flips_are_flat_and_counted_though_the_model_errs():
    probabilities, labels = case(rows=30_000, flip=0.25, concentration=0.15)
    found = compare(probabilities, labels)
    assert abs(found.steepness) < 0.4
    disagreeing = (found.predicted != labels).mean()
    assert found.flips.sum() / 30_000 == pytest.approx(0.25, abs=0.03)
    assert disagreeing > 0.32  # the model's own errors beside the flips


def test_errors_on_hard_rows_are_steep_and_hardly_counted_as_flips():
    random = np.random.default_rng(1)
    probabilities = random.dirichlet(np.full(4, 0.3), 30_000)
    second = np.argsort(probabilities, axis=1)[:, -2]
    doubt = 1.0 - probabilities.max(axis=1)
    labels = np.where(random.random(30_000) < doubt, second, probabilities.argmax(axis=1))
    found = compare(probabilities, labels)
    assert found.steepness > 0.8
    assert found.flips.sum() < 0.35 * found.disagreeing.sum()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 80))
def test_flips_never_exceed_what_disagrees_and_rows_may_come_in_any_order(seed, classes, rows):
    probabilities, labels = case(rows, classes, seed)
    found = compare(probabilities, labels)
    assert (found.flips >= 0).all() and (found.flips <= found.disagreeing + 1e-9).all()
    assert found.counts.sum() == rows and ((found.curve >= 0) & (found.curve <= 1)).all()
    order = np.random.default_rng(seed).permutation(rows)
    mixed = compare(probabilities[order], labels[order])
    np.testing.assert_array_equal(mixed.predicted, found.predicted[order])
    np.testing.assert_allclose(mixed.flips, found.flips, atol=1e-9)
    np.testing.assert_allclose(mixed.curve, found.curve)


def test_full_agreement_one_row_and_a_class_that_nobody_predicts():
    certain = np.eye(3)[[0, 0, 1, 1]]
    found = compare(certain, np.array([0, 0, 1, 1]))
    assert found.flips.sum() == 0 and found.curve.tolist() == [0.0] * 5 and found.steepness == 0
    alone = compare(certain[:1], np.array([2]))
    assert alone.counts[0, 2] == 1 and np.isfinite(alone.flips).all()
