import numpy as np
import pytest
import torch

from ferclean.config.methods.sampling_softmax import SamplingSoftmaxSettings
from ferclean.losses.heteroscedastic import sampled_log_softmax
from ferclean.methods.sampling_softmax import SamplingSoftmax
from ferclean.partition.disagreement import SCORES, disagreement_score
from ferclean.partition.mixtures import fit_two_gaussians, scale_to_unit
from ferclean.partition.uncertainty import split_uncertainty
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.observe import Observation
from ferclean.train.seeds import derive_seed
from fixtures.recipe_steps import make_context, make_heads, make_network, make_step

CLASSES, ROWS = 4, 120


def make_recipe(**values):
    return SamplingSoftmax(SamplingSoftmaxSettings(**values))


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    observed = random.integers(CLASSES, size=ROWS)
    wrong = random.random(ROWS) < 0.3
    logits = random.normal(size=(2, ROWS, CLASSES)).astype(np.float32)
    logits[:, np.arange(ROWS), np.where(wrong, (observed + 1) % CLASSES, observed)] += 5
    scale = random.uniform(0.1, 1.5, size=logits.shape).astype(np.float32)
    return make_context(observed, CLASSES), Observation(logits, {"scale": scale}, 5, 5), wrong


def test_published_constants_are_the_defaults():
    assert SamplingSoftmaxSettings() == SamplingSoftmaxSettings(
        members=2,
        training_samples=100,
        evaluation_samples=256,
        parametrisation="linear_std",
        initial_scale=0.3,
        learn_scale_in_warm_up=True,
        split="information",
        score="margin",
        aleatoric_quantile=0.8,
        epistemic_quantile=0.9,
        train_on="observed",
    )


def test_each_member_trains_in_its_own_pass_on_all_rows(data):
    context, _, _ = data
    recipe = make_recipe(members=3)
    passes = recipe.warm_up(context)
    assert recipe.networks == 3
    assert [work.trains for work in passes] == [(0,), (1,), (2,)]
    for work in passes:
        np.testing.assert_array_equal(work.streams[0].rows, context.rows)


def losses_of(work, recipe, rows):
    network = make_network(recipe, CLASSES).eval()
    torch.nn.init.normal_(network.heads["scale"].weight, generator=torch.Generator().manual_seed(2))
    step = make_step(work, [network], {"all": rows})
    (term,) = work.objective(step)
    found = network.outputs(step.batches["all"].views[0], ("scale",))
    log_p = sampled_log_softmax(
        found["logits"], found["scale"], samples=100, generator=torch.Generator().manual_seed(0)
    )
    return term.values, log_p, network


def test_warm_up_is_the_likelihood_of_the_observed_labels_with_deviations_as_they_are(data):
    context, _, _ = data
    recipe, rows = make_recipe(members=1), [5, 0, 17]
    values, log_p, _ = losses_of(recipe.warm_up(context)[0], recipe, rows)
    torch.testing.assert_close(values, -log_p[torch.arange(3), context.targets[rows]])


@pytest.mark.parametrize("use", ["relabelled", "weighted", "observed"])
def test_what_is_trained_on_after_warm_up(data, use):
    context, seen, _ = data
    recipe, rows = make_recipe(members=1, train_on=use), list(range(20))
    assert recipe.needs_partition(5, context) == (use != "observed")
    split = recipe.partition(seen, context, {})
    both = split, recipe.relabel(split, context.observed)
    values, log_p, _ = losses_of(recipe.epoch(5, context, both)[0], recipe, rows)
    nll = -log_p[torch.arange(20), context.targets[rows]]
    weight = split.clean_probability[0]
    np.testing.assert_array_equal(both[1].weight, weight if use == "weighted" else 1)
    expected = {
        "relabelled": -(torch.from_numpy(both[1].distribution[rows]) * log_p).sum(1),
        "weighted": torch.from_numpy(weight[rows]) * nll,
        "observed": nll,
    }
    torch.testing.assert_close(values, expected[use])
    if use == "observed":
        torch.testing.assert_close(
            losses_of(recipe.epoch(5, context, None)[0], recipe, rows)[0], nll
        )


@pytest.mark.parametrize("learn", [True, False])
def test_the_scale_head_may_wait_for_the_end_of_warm_up(data, learn):
    context, _, _ = data
    recipe = make_recipe(members=1, learn_scale_in_warm_up=learn, train_on="observed")
    warm_up, later = recipe.warm_up(context)[0], recipe.epoch(5, context, None)[0]
    for work, trains in ((warm_up, learn), (later, True)):
        values, _, network = losses_of(work, recipe, [1, 2, 3])
        values.sum().backward()
        assert (network.heads["scale"].weight.grad is not None) == trains
        assert network.classifier.weight.grad is not None


@pytest.mark.parametrize("name", ["linear_std", "logit", "linear_variance"])
def test_the_head_says_deviations_of_the_initial_scale(name):
    recipe = make_recipe(parametrisation=name, initial_scale=0.7)
    scale = make_heads(recipe, CLASSES, 8)["scale"](torch.randn(2, 8))
    torch.testing.assert_close(scale, torch.full((2, CLASSES), 0.7))


@pytest.mark.parametrize("split", ["information", "gaussian_logits"])
@pytest.mark.parametrize("score", list(SCORES))
def test_the_partition_is_the_mixture_over_the_score(data, split, score):
    context, seen, wrong = data
    recipe = make_recipe(split=split, score=score, evaluation_samples=64)
    found = recipe.partition(seen, context, {})
    doubt = split_uncertainty(
        seen.logits,
        seen.outputs["scale"],
        split=split,
        samples=64,
        seed=derive_seed(0, "sampling_softmax"),
    )
    values = disagreement_score(doubt.probabilities, context.observed, doubt.aleatoric, score=score)
    scaled = scale_to_unit(values)
    np.testing.assert_allclose(found.score[0], scaled, rtol=1e-6)
    fit = fit_two_gaussians(scaled, seed=derive_seed(0, "mixture", 0))
    np.testing.assert_array_equal(found.clean_probability[0], fit.clean_probability)
    np.testing.assert_array_equal(found.evidence["aleatoric"], doubt.aleatoric)
    np.testing.assert_array_equal(found.evidence["epistemic"], doubt.epistemic)
    called = found.clean_probability[0] <= found.threshold
    assert (called == wrong).mean() > 0.9


def test_predictions_and_doubts_belong_together_and_do_not_depend_on_other_rows(data):
    _, seen, _ = data
    for split in ("information", "gaussian_logits"):
        recipe = make_recipe(split=split)
        p, doubts = recipe.predict(seen, {}), recipe.uncertainty(seen)
        assert set(doubts) == {"aleatoric", "epistemic", "total"}
        np.testing.assert_allclose(-(p * np.log(p)).sum(axis=1), doubts["total"], atol=1e-4)
        alone = Observation(seen.logits[:, 7:8], {"scale": seen.outputs["scale"][:, 7:8]}, 9, 5)
        np.testing.assert_array_equal(recipe.predict(alone, {})[0], p[7])


def test_relabelling_works_from_the_file_alone(data, tmp_path):
    context, seen, wrong = data
    recipe, names = make_recipe(), ("a", "b", "c", "d")
    found = recipe.partition(seen, context, {})
    ids = np.array([f"s{i}" for i in range(ROWS)])
    write_partition(found, ids, names, tmp_path / "partition.parquet")
    again = recipe.relabel(read_partition(tmp_path / "partition.parquet", names), context.observed)
    direct = recipe.relabel(found, context.observed)
    for name in ("distribution", "label", "action", "reason", "clean_probability"):
        np.testing.assert_array_equal(getattr(again, name), getattr(direct, name))
    assert (direct.label[wrong] == (context.observed[wrong] + 1) % CLASSES).mean() > 0.7
    assert {"keep", "relabel"} <= set(direct.action)


def test_quantiles_of_the_settings_are_used(data):
    context, seen, _ = data
    split = make_recipe().partition(seen, context, {})
    kept = make_recipe(epistemic_quantile=0.0).relabel(split, context.observed)
    assert (kept.action == "keep").sum() >= ROWS - 1
    soft = make_recipe(epistemic_quantile=1.0, aleatoric_quantile=0.0)
    assert set(soft.relabel(split, context.observed).action) <= {"soften", "relabel", "keep"}
    assert (soft.relabel(split, context.observed).action == "keep").sum() <= 1
