from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.confident_learning import ConfidentLearningSettings
from ferclean.errors import FercleanError
from ferclean.methods.base import softmax
from ferclean.methods.confident_learning import ConfidentLearning
from ferclean.partition.confident_learning import RULES, find_label_errors
from ferclean.partition.scores import margin_score
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES, ROWS, FOLDS = 4, 400, 3


@pytest.fixture
def recipe():
    return ConfidentLearning(ConfidentLearningSettings())


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    observed = random.integers(CLASSES, size=ROWS)
    wrong = random.random(ROWS) < 0.3
    logits = random.normal(size=(FOLDS + 1, ROWS, CLASSES)).astype(np.float32)
    logits[:, np.arange(ROWS), np.where(wrong, (observed + 1) % CLASSES, observed)] += 4
    return make_context(observed, CLASSES), Observation(logits, {}, 5, 5), wrong


def test_defaults_are_cleanlabs_rule_and_three_folds(recipe):
    assert ConfidentLearningSettings() == ConfidentLearningSettings(
        folds=3, rule="prune_by_noise_rate"
    )
    assert recipe.networks == 4


def folds_of(recipe, context, seen):
    return recipe.partition(seen, context, {}).evidence["fold"]


def test_each_judge_trains_on_the_rows_outside_its_fold(recipe, data):
    context, seen, _ = data
    fold, passes = folds_of(recipe, context, seen), recipe.warm_up(context)
    assert [work.trains for work in passes] == [(0,), (1,), (2,)]
    for net, work in enumerate(passes):
        assert work.span == (0, context.training.warm_up_epochs)
        assert set(work.streams[0].rows) == set(np.flatnonzero(fold != net))
    for label in range(CLASSES):
        sizes = np.bincount(fold[context.observed == label], minlength=FOLDS)
        assert np.ptp(sizes) <= 1


@pytest.mark.parametrize("rule", RULES)
def test_rows_are_judged_out_of_fold_by_the_rule(data, rule):
    context, seen, _ = data
    recipe = ConfidentLearning(ConfidentLearningSettings(rule=rule))
    found = recipe.partition(seen, context, {})
    fold = found.evidence["fold"]
    p = np.stack([softmax(seen.logits[fold[row], row]) for row in range(ROWS)])
    np.testing.assert_array_equal(found.probabilities[0], p)
    wrong = find_label_errors(p, context.observed, rule=rule)
    np.testing.assert_array_equal(found.clean_probability[0] <= found.threshold, wrong)
    margin = margin_score(p, context.observed)
    for side in (wrong, ~wrong):
        order = np.argsort(margin[side], kind="stable")
        assert (np.diff(found.clean_probability[0][side][order]) >= 0).all()


@pytest.mark.parametrize("rule", RULES)
def test_the_clean_probability_is_half_a_margin_and_a_half_more_for_right_labels(data, rule):
    """``(1 + p_y - max_k p_k) / 4`` out of fold, and one half more where the rule finds nothing."""
    context, seen, _ = data
    recipe = ConfidentLearning(ConfidentLearningSettings(rule=rule))
    found = recipe.partition(seen, context, {})
    wrong = find_label_errors(found.probabilities[0], context.observed, rule=rule)
    for row, label in enumerate(context.observed):
        p = found.probabilities[0, row].astype(float)
        margin = p[label] - max(p[k] for k in range(CLASSES) if k != label)
        expected = (1 + margin) / 4 + (0.0 if wrong[row] else 0.5)
        assert found.clean_probability[0, row] == pytest.approx(expected, abs=1e-6)
        assert found.score[0, row] == pytest.approx(margin, abs=1e-6)
    assert 0 < wrong.sum() < ROWS and found.threshold == 0.25


def test_extreme_margins_stay_on_their_side(recipe, data):
    context, seen, _ = data
    sure = Observation(np.sign(seen.logits - 2) * 500, {}, 5, 5)
    found = recipe.partition(sure, context, {})
    wrong = find_label_errors(found.probabilities[0], context.observed)
    np.testing.assert_array_equal(found.clean_probability[0] <= found.threshold, wrong)


def test_wrong_labels_are_dropped_with_a_suggestion(recipe, data, tmp_path):
    context, seen, wrong = data
    found, names = recipe.partition(seen, context, {}), ("a", "b", "c", "d")
    ids = np.array([f"s{i}" for i in range(ROWS)])
    write_partition(found, ids, names, tmp_path / "partition.parquet")
    decided = recipe.relabel(
        read_partition(tmp_path / "partition.parquet", names), context.observed
    )
    dropped = decided.action == "drop"
    assert (dropped & wrong).sum() / wrong.sum() > 0.8
    np.testing.assert_array_equal(decided.weight, np.where(dropped, 0, 1))
    np.testing.assert_array_equal(decided.label[~dropped], context.observed[~dropped])
    np.testing.assert_array_equal(
        decided.label[dropped], found.probabilities[0][dropped].argmax(axis=1)
    )
    np.testing.assert_array_equal(decided.distribution[~dropped].max(axis=1), 1)
    np.testing.assert_array_equal(decided.distribution[dropped], found.probabilities[0][dropped])
    assert all("wrong" in reason for reason in decided.reason[dropped])


def test_the_last_network_trains_on_what_is_left_with_a_schedule_of_its_own(recipe, data):
    context, seen, _ = data
    split = recipe.partition(seen, context, {})
    both = split, recipe.relabel(split, context.observed)
    (work,) = recipe.epoch(7, context, both)
    warm_up, total = context.training.warm_up_epochs, context.training.total_epochs
    assert (work.trains, work.span) == ((FOLDS,), (warm_up, total - warm_up))
    np.testing.assert_array_equal(work.streams[0].rows, np.flatnonzero(both[1].weight))
    networks = [make_network(recipe, CLASSES).eval() for _ in range(FOLDS + 1)]
    step = make_step(work, networks)
    (term,) = work.objective(step)
    batch = step.batches["all"]
    expected = functional.cross_entropy(
        networks[FOLDS](batch.views[0]), context.targets[batch.rows], reduction="none"
    )
    torch.testing.assert_close(term.values, expected)


def test_where_nothing_is_left_all_rows_are_trained_on(data):
    context, seen, _ = data
    recipe = ConfidentLearning(ConfidentLearningSettings(rule="argmax"))
    logits = np.zeros_like(seen.logits)
    logits[:, np.arange(ROWS), (context.observed + 1) % CLASSES] = 9
    split = recipe.partition(Observation(logits, {}, 5, 5), context, {})
    decided = recipe.relabel(split, context.observed)
    assert (decided.action == "drop").all()
    (work,) = recipe.epoch(5, context, (split, decided))
    np.testing.assert_array_equal(work.streams[0].rows, context.rows)


def test_the_judges_predict_until_the_last_network_has_begun_to_train(recipe, data):
    _, seen, _ = data
    judges = np.mean([softmax(z) for z in seen.logits[:FOLDS]], axis=0)
    np.testing.assert_allclose(recipe.predict(seen, {}), judges, rtol=1e-5)
    after = Observation(seen.logits, {}, 6, 5)
    np.testing.assert_array_equal(recipe.predict(after, {}), softmax(seen.logits[FOLDS]))


def test_folds_follow_the_seed_of_the_run_and_more_folds_than_rows_are_refused(recipe, data):
    context, seen, _ = data
    first = folds_of(recipe, context, seen)
    np.testing.assert_array_equal(first, folds_of(recipe, context, seen))
    assert (first != folds_of(recipe, replace(context, seed=1), seen)).any()
    few = make_context(np.array([0, 1]), 2)
    with pytest.raises(FercleanError, match=r"methods\.confident_learning\.folds"):
        recipe.warm_up(few)
