import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.errors import FercleanError
from ferclean.partition.confident_learning import RULES, _confident_joint, find_label_errors

CLEANLAB_NAMES = {
    "prune_by_noise_rate": "prune_by_noise_rate",
    "prune_by_class": "prune_by_class",
    "both": "both",
    "argmax": "predicted_neq_given",
}


def make_data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and noisy labels of any difficulty, balance, rate and number of classes."""
    random = np.random.default_rng(seed)
    classes, rows = int(random.integers(2, 15)), int(random.integers(30, 1500))
    shares = random.dirichlet(np.full(classes, [0.3, 1.0, 5.0][seed % 3]))
    true = random.choice(classes, rows, p=shares)
    noisy = random.random(rows) < random.uniform(0, 0.6)
    observed = np.where(noisy, random.integers(0, classes, rows), true)
    logits = random.normal(size=(rows, classes)) * random.uniform(0.5, 2)
    logits[np.arange(rows), true] += random.uniform(0, 4)
    power = np.exp(logits)
    return power / power.sum(axis=1, keepdims=True), observed


@pytest.mark.parametrize("seed", range(30))
def test_the_joint_is_cleanlabs_but_for_which_of_equal_remainders_is_rounded_up(seed):
    count = pytest.importorskip("cleanlab.count", reason="cleanlab is a test oracle")
    probabilities, observed = make_data(seed)
    theirs = count.compute_confident_joint(observed, probabilities)
    raw = count.compute_confident_joint(observed, probabilities, calibrate=False)
    ours = _confident_joint(probabilities, observed)
    np.testing.assert_array_equal(ours.sum(axis=1), np.bincount(observed, minlength=len(ours)))
    for row in np.flatnonzero((ours != theirs).any(axis=1)):
        change = ours[row] - theirs[row]
        assert set(change.tolist()) <= {-1, 0, 1}
        assert sorted(raw[row][change == 1]) == sorted(raw[row][change == -1])


@pytest.mark.filterwarnings("ignore:May not flag all label issues")
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(20))
def test_rules_are_cleanlabs(seed, rule):
    cleanlab = pytest.importorskip("cleanlab.filter", reason="cleanlab is a test oracle")
    probabilities, observed = make_data(seed)
    expected = cleanlab.find_label_issues(
        observed,
        probabilities,
        filter_by=CLEANLAB_NAMES[rule],
        confident_joint=_confident_joint(probabilities, observed),
        n_jobs=1,
    )
    np.testing.assert_array_equal(find_label_errors(probabilities, observed, rule=rule), expected)


def naive_joint(probabilities, observed):
    """The paper's equation 1, row by row, before calibration."""
    classes = probabilities.shape[1]
    mean = [
        probabilities[observed == k, k].mean() if (observed == k).any() else 2
        for k in range(classes)
    ]
    joint = np.zeros((classes, classes))
    for p, label in zip(probabilities, observed, strict=True):
        candidates = [k for k in range(classes) if p[k] >= mean[k]]
        if candidates:
            guess = max(range(classes), key=lambda k: p[k])
            joint[label, guess if len(candidates) > 1 else candidates[0]] += 1
    return joint


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_joint_is_the_papers_scaled_to_the_label_counts(seed):
    probabilities, observed = make_data(seed)
    naive = naive_joint(probabilities, observed)
    np.fill_diagonal(naive, naive.diagonal().clip(min=1))
    counts = np.bincount(observed, minlength=len(naive))
    expected = naive / naive.sum(axis=1, keepdims=True) * counts[:, None]
    assert np.abs(_confident_joint(probabilities, observed) - expected).max() <= 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_rules_nest_and_never_contradict_the_prediction(seed):
    probabilities, observed = make_data(seed)
    wrong = {rule: find_label_errors(probabilities, observed, rule=rule) for rule in RULES}
    np.testing.assert_array_equal(
        wrong["both"], wrong["prune_by_noise_rate"] & wrong["prune_by_class"]
    )
    for found in wrong.values():
        assert not (found & ~wrong["argmax"]).any()
    np.testing.assert_array_equal(wrong["argmax"], probabilities.argmax(axis=1) != observed)


def test_wrong_labels_are_found():
    random = np.random.default_rng(0)
    true = random.integers(0, 4, 2000)
    noisy = random.random(2000) < 0.3
    observed = np.where(noisy, (true + random.integers(1, 4, 2000)) % 4, true)
    logits = random.normal(size=(2000, 4))
    logits[np.arange(2000), true] += 4
    power = np.exp(logits)
    found = find_label_errors(power / power.sum(axis=1, keepdims=True), observed)
    assert (found & noisy).sum() / found.sum() > 0.95
    assert (found & noisy).sum() / noisy.sum() > 0.85


@pytest.mark.parametrize("rule", RULES)
def test_degenerate_inputs(rule):
    uniform = np.full((6, 3), 1 / 3)
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert not find_label_errors(uniform, labels, rule=rule).any()  # nothing to tell rows apart
    assert not find_label_errors(np.eye(3)[labels], labels, rule=rule).any()
    assert len(find_label_errors(np.empty((0, 3)), np.empty(0, dtype=int), rule=rule)) == 0
    one = find_label_errors(np.eye(3)[labels], np.zeros(6, dtype=int), rule=rule)
    assert one.sum() == (4 if rule == "argmax" else 0)  # one class only: nothing to compare with


@pytest.mark.parametrize("rule", ["prune_by_noise_rate", "prune_by_class", "both"])
def test_a_classs_only_row_is_kept(rule):
    probabilities = np.tile([0.9, 0.1], (9, 1))
    observed = np.array([0] * 8 + [1])
    assert not find_label_errors(probabilities, observed, rule=rule).any()


def test_of_equal_rows_the_earlier_goes_first():
    # Of the rows labelled 0 three surely show 1, ten surely 0, and six cannot be counted. Scaled
    # to all 19 that makes four errors: the three, and the first of the six.
    rows = [[0.9, 0.1]] * 10 + [[0.45, 0.55]] * 6 + [[0.05, 0.95]] * 3 + [[0.1, 0.9]] * 10
    observed = np.array([0] * 19 + [1] * 10)
    found = find_label_errors(np.array(rows), observed)
    assert np.flatnonzero(found).tolist() == [10, 16, 17, 18]


@pytest.mark.parametrize(("gap", "counted"), [(0.0, True), (9e-7, True), (2e-6, False)])
def test_a_class_is_a_candidate_a_millionth_below_its_threshold(gap, counted):
    """Class 0's threshold is 0.6; one row labelled 1 all but reaches it, and none of class 1's."""
    rows = [[0.6, 0.4]] * 5 + [[0.1, 0.9]] * 9 + [[0.6 - gap, 0.4 + gap]]
    joint = _confident_joint(np.array(rows), np.array([0] * 5 + [1] * 10))
    assert joint.tolist() == [[5, 0], [1, 9] if counted else [0, 10]]


@pytest.mark.parametrize(("own", "counted"), [(0.0, False), (9e-7, False), (1.1e-6, True)])
def test_no_threshold_lies_below_two_millionths(own, counted):
    """No row labelled 1 looks like it; a row labelled 0 that no other class explains might."""
    rows = [[0.9, 0.0, 0.1]] * 9 + [[0.3, own, 0.7 - own]] + [[0.9, 0, 0.1]] * 2 + [[0.1, 0, 0.9]]
    joint = _confident_joint(np.array(rows), np.array([0] * 10 + [1] * 2 + [2]))
    assert joint[0].tolist() == ([9, 1, 0] if counted else [10, 0, 0])


@pytest.mark.parametrize(("ahead", "wrong"), [(0.0, False), (9e-7, False), (1.1e-6, True)])
def test_a_class_that_is_ahead_by_a_millionth_contradicts_no_label(ahead, wrong):
    row = np.array([[0.5 - ahead / 2, 0.5 + ahead / 2]])
    assert find_label_errors(row, np.array([0]), rule="argmax").tolist() == [wrong]


def test_bad_input_is_refused():
    probabilities = np.full((4, 2), 0.5)
    with pytest.raises(FercleanError, match="prune_by_class"):
        find_label_errors(probabilities, np.zeros(4, dtype=int), rule="prune")
    with pytest.raises(ValueError, match="expected"):
        find_label_errors(probabilities, np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match="labels"):
        find_label_errors(probabilities, np.full(4, 2))
    probabilities[0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        find_label_errors(probabilities, np.zeros(4, dtype=int))
