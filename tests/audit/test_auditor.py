import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from ferclean.audit.auditor import audit_labels
from ferclean.audit.calibration import calibrated_mean
from ferclean.audit.cut_off import expected_f1_cut_off
from ferclean.audit.disagreement import compare
from ferclean.audit.posterior import label_posterior, transition_matrix
from ferclean.evaluate.detection import called_wrong
from ferclean.partition.confident_learning import find_label_errors
from ferclean.relabel.sharpen import sharpen


def flipped(rate=0.2, rows=8_000, classes=10, seed=0):
    """Too sure predictions of a fair model, and labels flipped to any other class."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet(np.full(classes, 0.05), rows)
    true = (random.random((rows, 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    other = (true + random.integers(1, classes, rows)) % classes
    return sharpen(truth, 0.6), np.where(random.random(rows) < rate, other, true), true


def human(rows=8_000, classes=10, seed=0):
    """Labels that are wrong where the picture is hard, and predictions that waver there."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet(np.full(classes, 0.12), rows)
    true = truth.argmax(axis=1)
    second = np.argsort(truth, axis=1)[:, -2]
    hard = 1.0 - truth.max(axis=1)
    labels = np.where(random.random(rows) < 1.4 * hard, second, true)
    noisy = truth * np.exp(0.4 * random.normal(size=truth.shape))
    return noisy / noisy.sum(axis=1, keepdims=True), labels, true


@pytest.mark.parametrize("make", [flipped, human])
def test_one_setting_is_no_worse_than_the_better_of_both_usual_rules(make):
    probabilities, labels, true = make()
    wrong = labels != true
    usual = [
        f1_score(wrong, find_label_errors(probabilities, labels, rule=rule))
        for rule in ("prune_by_noise_rate", "argmax")
    ]
    audit = audit_labels(probabilities, labels)
    assert f1_score(wrong, audit.is_wrong) >= max(usual) - 0.005
    assert abs(usual[0] - usual[1]) > 0.05  # the rules differ here: one of them is bad
    assert roc_auc_score(wrong, 1.0 - audit.label_quality) > 0.85
    assert (audit.suggested_label == true).mean() > (labels == true).mean() + 0.05


def test_flips_and_peoples_errors_are_told_apart():
    assert abs(audit_labels(*flipped()[:2]).steepness) < 0.4
    assert audit_labels(*human()[:2]).steepness > 0.8


@pytest.mark.parametrize(("rate", "tolerance"), [(0.1, 0.08), (0.2, 0.05), (0.4, 0.05)])
def test_the_noise_rate_and_the_transitions_are_estimated(rate, tolerance):
    probabilities, labels, true = flipped(rate)
    audit = audit_labels(probabilities, labels)
    assert audit.noise_rate == pytest.approx((labels != true).mean(), abs=tolerance)
    assert np.diag(audit.transitions).mean() == pytest.approx(1 - rate, abs=0.06)
    np.testing.assert_allclose(audit.transitions.sum(axis=1), 1.0)


def test_fields_hang_together():
    probabilities, labels, _ = flipped(rows=500)
    audit = audit_labels(probabilities, labels)
    rows = np.arange(500)
    np.testing.assert_array_equal(audit.label_quality, audit.posterior[rows, labels])
    assert audit.noise_rate == pytest.approx(1 - audit.label_quality.mean(), abs=1e-6)
    assert audit.label_quality[audit.is_wrong].max() == audit.cut_off
    assert audit.label_quality[~audit.is_wrong].min() > audit.cut_off
    best = audit.posterior.max(axis=1)
    np.testing.assert_array_equal(audit.posterior[rows, audit.suggested_label], best)
    np.testing.assert_allclose(audit.posterior.sum(axis=1), 1.0, atol=1e-5)


def test_members_are_calibrated_before_they_are_compared_with_the_labels():
    probabilities, labels, _ = flipped(rows=600)
    other = probabilities * np.exp(np.random.default_rng(1).normal(size=probabilities.shape))
    other /= other.sum(axis=1, keepdims=True)
    members = np.float32([sharpen(probabilities, 0.3), sharpen(other, 3.0)])
    audit = audit_labels(members, labels)
    calibrated, _ = calibrated_mean(members / members.sum(axis=2, keepdims=True), labels)
    found = compare(calibrated, labels)
    posterior = label_posterior(calibrated, labels, found)
    np.testing.assert_allclose(audit.posterior, posterior, atol=1e-6)
    np.testing.assert_allclose(audit.transitions, transition_matrix(found))
    np.testing.assert_array_equal(audit.predicted, calibrated.argmax(axis=1))


def test_a_row_at_the_cut_off_is_wrong():
    probabilities, labels, _ = flipped(rows=600)
    audit = audit_labels(probabilities, labels)
    doubt = 1.0 - audit.label_quality
    cut_off = expected_f1_cut_off(doubt)
    assert (doubt == cut_off).any()
    np.testing.assert_array_equal(audit.is_wrong, doubt >= cut_off)


@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(2, 8),
    rows=st.integers(1, 300),
    spread=st.sampled_from([0.02, 0.2, 1.0]),
    digits=st.sampled_from([1, 2, 16]),
)
def test_the_cut_off_gives_the_verdicts_again(seed, classes, rows, spread, digits):
    random = np.random.default_rng(seed)
    # Few digits make ties, small spreads saturate.
    probabilities = random.dirichlet(np.full(classes, spread), rows).round(digits) + 1e-9
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = random.integers(classes, size=rows)
    audit = audit_labels(probabilities, labels)
    again = called_wrong(audit.label_quality, audit.cut_off)
    np.testing.assert_array_equal(again, audit.is_wrong)
    doubt = 1.0 - audit.label_quality
    np.testing.assert_array_equal(audit.is_wrong, doubt >= expected_f1_cut_off(doubt))


def test_an_ensemble_of_one_is_its_member_and_more_members_help():
    probabilities, labels, true = human(seed=1)
    alone = audit_labels(probabilities, labels)
    same = audit_labels(probabilities[None], labels)
    np.testing.assert_array_equal(same.label_quality, alone.label_quality)
    random = np.random.default_rng(5)
    more = probabilities * np.exp(0.8 * random.normal(size=(3, *probabilities.shape)))
    more /= more.sum(axis=2, keepdims=True)
    wrong = labels != true
    areas = [roc_auc_score(wrong, 1 - audit_labels(p, labels).label_quality) for p in (*more, more)]
    assert areas[3] > max(areas[:3])


def test_half_precision_is_taken_and_integers_of_any_width():
    probabilities, labels, _ = flipped(rows=400)
    audit = audit_labels(probabilities.astype(np.float16), labels.astype(np.uint8))
    assert audit.label_quality.dtype == np.float32 and audit.suggested_label.dtype == np.int64


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        (np.empty((0, 3)), np.empty(0, int)),
        (np.full((1, 2), 0.5), np.array([1])),
        (np.full((6, 3), 1 / 3), np.array([0, 1, 2, 0, 1, 2])),
        (np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0])),
        (np.eye(3)[[0, 1, 2, 0]], np.array([1, 2, 0, 2])),
        (np.eye(3)[[0, 0, 0, 0]], np.array([0, 0, 0, 0])),
    ],
    ids=["no row", "one row", "no opinion", "all agree", "none agrees", "one class"],
)
def test_degenerate_input_gives_finite_answers(probabilities, labels):
    audit = audit_labels(probabilities, labels)
    assert np.isfinite(audit.posterior).all() and 0 <= audit.noise_rate <= 1
    assert np.isfinite(audit.transitions).all() and len(audit.is_wrong) == len(labels)


def test_without_rows_the_cut_off_is_0():
    assert audit_labels(np.empty((0, 3)), np.empty(0, int)).cut_off == 0


def test_labels_that_all_agree_with_a_sure_model_are_right():
    probabilities = np.full((300, 3), 0.01) + 0.97 * np.eye(3)[np.arange(300) % 3]
    audit = audit_labels(probabilities, np.arange(300) % 3)
    assert audit.noise_rate < 0.01 and (audit.suggested_label == np.arange(300) % 3).all()


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.full((3, 1), 1.0), np.zeros(3, int), "K >= 2"),
        (np.full(3, 1.0), np.zeros(3, int), "K >= 2"),
        (np.full((3, 2), 0.5), np.zeros(2, int), "3 rows of probabilities"),
        (np.full((3, 2), 0.5), np.zeros((3, 1), int), "3 rows of probabilities"),
        (np.full((3, 2), 0.5), np.zeros(3), "must be integers"),
        (np.full((3, 2), 0.5), np.array([0, 1, 2]), r"\[0, 2\)"),
        (np.full((3, 2), 0.5), np.array([0, -1, 1]), r"\[0, 2\)"),
        (np.array([[1, 0], [0.5, np.nan]]), np.zeros(2, int), "finite .* row 2 holds"),
        (np.array([[1, 0], [1, np.inf]]), np.zeros(2, int), "finite .* row 2 holds"),
        (np.array([[1.5, -0.5]]), np.zeros(1, int), "at least 0, but row 1 holds"),
        (np.array([[1, 0], [50, 50]]), np.zeros(2, int), "sum to 1, but row 2 sums to 100"),
        (np.array([[1, 0], [0.5, 0.45]]), np.zeros(2, int), "row 2 sums to 0.95"),
        (np.array([[[1, 0]], [[0.5, 0.2]]]), np.zeros(1, int), "row 1 of model 2 sums to 0.7"),
    ],
)
def test_what_cannot_be_audited_is_refused(probabilities, labels, message):
    with pytest.raises(ValueError, match=message):
        audit_labels(probabilities, labels)


@pytest.mark.slow
def test_arrays_are_audited_without_torch():
    code = "import sys; sys.modules['torch'] = None; import ferclean.audit.auditor"
    subprocess.run([sys.executable, "-c", code], check=True)
