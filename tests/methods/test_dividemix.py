import numpy as np
import pytest
import torch

from ferclean.config.methods.co_divide import DivideMixSettings
from ferclean.losses.classification import cross_entropy, negative_entropy
from ferclean.methods.dividemix import DivideMix
from ferclean.methods.smr import Smr, SmrSettings
from ferclean.partition.noise_rate import estimated_noise_rate, unlabelled_weight_for
from ferclean.train.mixmatch import MixMatch
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES = 4


@pytest.fixture
def seen():
    random = np.random.default_rng(0)
    observed = random.integers(CLASSES, size=300)
    wrong = random.random(300) < 0.4
    logits = random.normal(size=(2, 300, CLASSES)).astype(np.float32)
    logits[:, np.arange(300), np.where(wrong, (observed + 1) % CLASSES, observed)] += 6
    return observed, wrong, Observation(logits)


def split_of(recipe, observed, seen):
    context = make_context(observed, CLASSES)
    partition = recipe.partition(seen, context, {})
    return context, (partition, recipe.relabel(partition, observed))


def test_published_constants_are_the_defaults():
    own = DivideMixSettings()
    assert (own.alpha, own.temperature, own.clean_threshold) == (4.0, 0.5, 0.5)
    assert (own.labelled_batch_size, own.ramp_up_epochs, own.unlabelled_weight) == (64, 16.0, 25.0)
    assert own.warm_up == "cross_entropy" and not own.strong_updates


def test_its_partition_and_labels_are_smrs(seen):
    observed, wrong, observation = seen
    _, (found, labels) = split_of(DivideMix(DivideMixSettings()), observed, observation)
    _, (same, others) = split_of(Smr(SmrSettings()), observed, observation)
    np.testing.assert_array_equal(found.clean_probability, same.clean_probability)
    np.testing.assert_array_equal(labels.distribution, others.distribution)
    assert ((found.clean_probability < 0.5) == wrong).mean() > 0.95


@pytest.mark.parametrize("penalty", [False, True])
def test_warm_up_is_cross_entropy_with_or_without_the_penalty(seen, penalty):
    observed = seen[0]
    settings = DivideMixSettings(warm_up="confidence_penalty" if penalty else "cross_entropy")
    recipe, context = DivideMix(settings), make_context(observed, CLASSES)
    networks = [make_network(recipe, CLASSES).eval() for _ in range(2)]
    passes = recipe.warm_up(context)
    assert [work.trains for work in passes] == [(0,), (1,)]
    step = make_step(passes[1], networks, {"all": [0, 1, 2, 3]})
    terms = {term.name: term for term in passes[1].objective(step)}
    logits = networks[1](step.batches["all"].views[0])
    expected = cross_entropy(logits, torch.from_numpy(observed[:4]))
    assert torch.allclose(terms.pop("cross_entropy").values, expected)
    if penalty:
        term = terms.pop("confidence")
        assert term.weight == 1.0 and torch.allclose(term.values, negative_entropy(logits))
    assert not terms


def test_every_epoch_divides_and_swaps(seen):
    observed, _, observation = seen
    recipe = DivideMix(DivideMixSettings(labelled_batch_size=32))
    context, split = split_of(recipe, observed, observation)
    assert all(recipe.needs_partition(number, context) for number in range(5, 300))
    for net, work in enumerate(recipe.epoch(29, context, split)):
        clean = split[0].clean_probability[1 - net]
        labelled, unlabelled = work.streams
        assert work.trains == (net,) and isinstance(work.objective, MixMatch)
        assert labelled.rows.tolist() == np.flatnonzero(clean > 0.5).tolist()
        assert unlabelled.rows.tolist() == np.flatnonzero(clean <= 0.5).tolist()
        assert labelled.batch_size == unlabelled.batch_size == 32


@pytest.mark.parametrize("recipe_class", [DivideMix, Smr])
@pytest.mark.parametrize("strong", [False, True])
def test_strong_updates_add_two_strong_views_of_every_row(seen, recipe_class, strong):
    observed, _, observation = seen
    settings = {DivideMix: DivideMixSettings, Smr: SmrSettings}[recipe_class]
    recipe = recipe_class(settings(strong_updates=strong))
    context, split = split_of(recipe, observed, observation)
    for work in recipe.epoch(40, context, split):
        for stream in work.streams:
            assert (stream.views, stream.strong_views) == (2, 2 if strong else 0)
    assert all(s.strong_views == 0 for w in recipe.warm_up(context) for s in w.streams)  # WAW


@pytest.mark.parametrize("recipe_class", [DivideMix, Smr])
def test_auto_weight_is_the_tables_at_the_estimated_rate(seen, recipe_class):
    observed, wrong, observation = seen
    settings = {DivideMix: DivideMixSettings, Smr: SmrSettings}[recipe_class]
    recipe = recipe_class(settings(unlabelled_weight="auto"))
    context, split = split_of(recipe, observed, observation)
    rate = estimated_noise_rate(split[0].clean_probability)
    assert rate == pytest.approx(wrong.mean(), abs=0.05)
    expected = unlabelled_weight_for(rate, CLASSES)
    assert 0 < expected < 25
    for work in recipe.epoch(40, context, split):
        assert work.objective.unlabelled_weight == expected
    fixed = recipe_class(settings(unlabelled_weight=7.0))
    assert fixed.epoch(40, context, split)[0].objective.unlabelled_weight == 7.0
