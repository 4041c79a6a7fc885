import math

import numpy as np
import pytest
import torch
from torch import nn

from ferclean.config.methods.unicon import UniconSettings
from ferclean.losses.contrastive import contrastive_loss
from ferclean.methods.base import softmax
from ferclean.methods.unicon import Unicon, WithContrast
from ferclean.partition.jsd import divergence_from_label
from ferclean.partition.selection import select_uniformly
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_heads, make_network, make_step

CLASSES, ROWS = 4, 400


def settings(**changes):
    return UniconSettings(**{"labelled_batch_size": 8, **changes})


@pytest.fixture
def seen():
    random = np.random.default_rng(0)
    observed = random.choice(CLASSES, size=ROWS, p=[0.4, 0.3, 0.28, 0.02])
    wrong = random.random(ROWS) < 0.3
    logits = random.normal(size=(2, ROWS, CLASSES)).astype(np.float32)
    logits[:, np.arange(ROWS), np.where(wrong, (observed + 1) % CLASSES, observed)] += 5
    return observed, wrong, Observation(logits)


def split_of(recipe, observed, seen):
    context = make_context(observed, CLASSES)
    partition = recipe.partition(seen, context, {})
    return context, (partition, recipe.relabel(partition, observed))


def test_published_constants_are_the_defaults():
    own = UniconSettings()
    assert (own.alpha, own.temperature, own.unlabelled_weight) == (4.0, 0.5, 30.0)
    assert (own.divergence_limit, own.divergence_slack, own.trusted_divergence) == (0.7, 5.0, 0.5)
    assert (own.contrastive_weight, own.contrastive_temperature) == (0.025, 0.05)
    assert (own.projection_width, own.labelled_batch_size) == (128, 64)


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_the_selection_is_the_parts_on_the_mean_prediction(seen, unit):
    observed, wrong, observation = seen
    recipe = Unicon(settings(divergence_unit=unit))
    _, (found, _) = split_of(recipe, observed, observation)
    mean = softmax(observation.logits).mean(axis=0, dtype=np.float64)
    divergence = divergence_from_label(mean, observed, unit=unit)
    expected = select_uniformly(divergence, observed, classes=CLASSES, limit=0.7, slack=5.0)
    np.testing.assert_array_equal(found.evidence["selected"], expected.selected)
    np.testing.assert_allclose(found.score, np.stack([divergence] * 2), rtol=1e-6)
    assert found.parameters["selection"]["share"] == expected.share
    # The cut-off says what the selection says.
    assert ((found.clean_probability > found.threshold) == expected.selected).all()
    assert wrong[expected.selected].mean() < 0.05
    counts = np.bincount(observed[expected.selected], minlength=CLASSES)
    assert counts[:3].min() == counts[:3].max() and counts[3] == (observed == 3).sum()


def test_the_clean_probability_falls_with_the_divergence_on_either_side(seen):
    observed, _, observation = seen
    _, (found, _) = split_of(Unicon(settings()), observed, observation)
    for side in (found.evidence["selected"], ~found.evidence["selected"]):
        order = np.argsort(found.score[0][side])
        assert (np.diff(found.clean_probability[0][side][order]) <= 0).all()


@pytest.mark.parametrize(("unit", "largest"), [("nats", math.log(2)), ("bits", 1.0)])
def test_the_clean_probability_is_a_half_more_for_selected_rows(seen, unit, largest):
    """``(1 - d / d_max) / 2``, and one half more where selected."""
    observed, _, observation = seen
    recipe = Unicon(settings(divergence_unit=unit, trusted_divergence=0.02))
    _, (found, _) = split_of(recipe, observed, observation)
    selected, weight = found.evidence["selected"], found.evidence["label_weight"]
    for row, divergence in enumerate(found.score[0].astype(float)):
        clean = (1 - divergence / largest) / 2 + 0.5 * selected[row]
        np.testing.assert_allclose(found.clean_probability[:, row], clean, atol=1e-6)
        trusted = 1.0 if divergence < 0.02 else 1 - divergence
        assert weight[row] == pytest.approx(trusted, abs=1e-6)


def test_the_label_table_refines_selected_rows_and_guesses_the_others(seen):
    observed, wrong, observation = seen
    _, (found, labels) = split_of(Unicon(settings()), observed, observation)
    truth = np.where(wrong, (observed + 1) % CLASSES, observed)
    assert (labels.label == truth).mean() > 0.95
    np.testing.assert_allclose(labels.distribution.sum(axis=1), 1, atol=1e-5)
    kept = found.evidence["selected"] & (found.score[0] < 0.5)  # not refined at all
    one_hot = np.eye(CLASSES)[observed[kept]]
    np.testing.assert_allclose(labels.distribution[kept], one_hot, atol=1e-6)


def test_both_networks_train_on_the_one_selection_with_strong_views(seen):
    observed, _, observation = seen
    recipe = Unicon(settings())
    context, split = split_of(recipe, observed, observation)
    selected, share = split[0].evidence["selected"], split[0].parameters["selection"]["share"]
    for net, work in enumerate(recipe.epoch(40, context, split)):
        labelled, unlabelled = work.streams
        assert work.trains == (net,)
        assert labelled.rows.tolist() == np.flatnonzero(selected).tolist()
        assert unlabelled.rows.tolist() == np.flatnonzero(~selected).tolist()
        assert (labelled.batch_size, unlabelled.batch_size) == (8, int(8 / (2 * share)))
        assert {(s.views, s.strong_views) for s in work.streams} == {(2, 2)}
        assert (work.objective.mixmatch.network, work.objective.mixmatch.peer) == (net, 1 - net)
    assert [w.kind for w in recipe.warm_up(context)] == ["cross_entropy", "cross_entropy"]


def test_the_contrastive_term_is_that_of_the_projected_strong_views(seen):
    observed, _, observation = seen
    recipe = Unicon(settings(contrastive_weight=0.5))
    context, split = split_of(recipe, observed, observation)
    networks = [make_network(recipe, CLASSES).eval() for _ in range(2)]
    (first, _) = recipe.epoch(40, context, split)
    step = make_step(first, networks)
    terms = {term.name: term for term in first.objective(step)}
    assert set(terms) == {"labelled", "unlabelled", "prior", "contrastive"}
    projections = [
        networks[0].heads["projection"](networks[0].features(v))
        for v in step.batches["unlabelled"].strong
    ]
    expected = contrastive_loss(*projections, 0.05)
    assert torch.allclose(terms["contrastive"].values, expected, atol=1e-4)
    assert terms["contrastive"].weight == 0.5
    sum(t.values.mean() * t.weight for t in terms.values()).backward()
    assert networks[0].heads["projection"][0].weight.grad.abs().sum() > 0
    assert all(p.grad is None for p in networks[1].parameters())


def test_without_a_weight_or_unlabelled_rows_there_is_no_contrastive_term(seen):
    observed, _, observation = seen
    recipe = Unicon(settings(contrastive_weight=0.0))
    context, split = split_of(recipe, observed, observation)
    networks = [make_network(recipe, CLASSES) for _ in range(2)]
    (work, _) = recipe.epoch(40, context, split)
    step = make_step(work, networks)
    assert "contrastive" not in {term.name for term in work.objective(step)}
    del step.batches["unlabelled"]
    again = WithContrast(work.objective.mixmatch, 1.0, 0.05)
    assert {term.name for term in again(step)} == {"labelled", "prior"}


def test_degenerate_selections():
    observed = np.arange(12) % CLASSES
    recipe, flat = Unicon(settings()), Observation(np.zeros((2, 12, CLASSES), np.float32))
    context, split = split_of(recipe, observed, flat)
    assert split[0].evidence["selected"].all()  # no row can be told from another
    assert (split[0].clean_probability > 0.5).all()
    assert [len(work.streams) for work in recipe.epoch(40, context, split)] == [1, 1]
    logits = np.zeros((2, 12, CLASSES), np.float32)
    logits[:, 0, 0] = 9.0  # one row below the mean: a quota of int(1 / 4)
    context, split = split_of(recipe, observed, Observation(logits))
    passes = recipe.epoch(40, context, split)
    assert [work.kind for work in passes] == ["nothing_labelled"] * 2


def test_a_small_share_asks_for_no_picture_twice(seen):
    observed = np.zeros(ROWS, dtype=np.int64)
    logits = np.zeros((2, ROWS, CLASSES), np.float32)
    logits[:, :8, 0] = 9.0
    recipe = Unicon(settings(labelled_batch_size=64))
    context, split = split_of(recipe, observed, Observation(logits))
    assert split[0].evidence["selected"].sum() == 2  # a quarter of a share of 8
    assert recipe.epoch(40, context, split)[0].streams[1].batch_size == ROWS - 2


def test_the_head_is_one_normalised_linear_layer_of_the_set_width():
    head = make_heads(Unicon(settings(projection_width=5)), CLASSES, 7)["projection"]
    assert [type(layer) for layer in head] == [nn.Linear, nn.BatchNorm1d]
    assert head(torch.randn(3, 7)).shape == (3, 5)


def test_a_prediction_that_is_not_a_number_is_named():
    logits = np.zeros((2, 4, CLASSES), np.float32)
    logits[0, 1] = math.nan
    with pytest.raises(ValueError, match="finite"):
        split_of(Unicon(settings()), np.arange(4), Observation(logits))
