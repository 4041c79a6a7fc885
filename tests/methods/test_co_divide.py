"""What the methods that divide the rows write into the label table, and what MixMatch is given."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.co_divide import DivideMixSettings
from ferclean.config.methods.resup import ResupSettings
from ferclean.config.methods.smr import SmrSettings
from ferclean.config.methods.unicon import UniconSettings
from ferclean.config.training import TrainingSettings
from ferclean.methods.co_divide import refine_and_guess
from ferclean.methods.dividemix import DivideMix
from ferclean.methods.resup import Resup
from ferclean.methods.smr import Smr
from ferclean.methods.unicon import Unicon
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES, ROWS = 4, 60
OBSERVED = np.random.default_rng(5).integers(CLASSES, size=ROWS)


@pytest.fixture
def partition():
    """Two networks that agree in nothing."""
    random = np.random.default_rng(0)
    return Partition(
        "score",
        random.random((2, ROWS)).astype(np.float32),
        random.random((2, ROWS)).astype(np.float32),
        random.dirichlet(np.ones(CLASSES), size=(2, ROWS)).astype(np.float32),
        threshold=0.4,
        evidence={
            "label_weight": random.random(ROWS).astype(np.float32),
            "selected": random.random(ROWS) < 0.5,
        },
        parameters={"selection": {"threshold": 0.3, "share": 0.5}},
    )


def naive_labels(partition, clean, weight, temperature):
    """``sharpen(w y + (1 - w) p, T)`` of the clean rows, ``sharpen(p, T)`` of the others."""
    found = []
    for i in range(ROWS):
        p = sum(network[i].astype(float) for network in partition.probabilities) / 2
        if clean[i] > partition.threshold:
            p = [weight[i] * (k == OBSERVED[i]) + (1 - weight[i]) * p[k] for k in range(CLASSES)]
        powers = [share ** (1 / temperature) for share in p]
        found.append([power / sum(powers) for power in powers])
    return np.array(found)


def check_labels(found, partition, clean, weight, temperature):
    expected = naive_labels(partition, clean, weight, temperature)
    np.testing.assert_allclose(found.distribution, expected, atol=1e-6)
    np.testing.assert_array_equal(found.label, expected.argmax(axis=1))
    np.testing.assert_allclose(found.clean_probability, clean, atol=1e-6)
    same = expected.argmax(axis=1) == OBSERVED
    kept = same & (np.array(clean) > partition.threshold)
    actions = np.where(~same, "relabel", np.where(kept, "keep", "soften"))
    assert found.action.tolist() == actions.tolist() and len(set(actions)) == 3


def test_clean_rows_are_refined_with_their_weight_and_the_others_guessed(partition):
    clean, weight = np.random.default_rng(1).random((2, ROWS))
    found = refine_and_guess(
        partition,
        OBSERVED,
        clean_probability=clean,
        label_weight=weight,
        temperature=0.6,
        reasons=("kept", "relabelled", "softened"),
    )
    check_labels(found, partition, clean, weight, 0.6)
    reasons = {"keep": "kept", "relabel": "relabelled", "soften": "softened"}
    assert found.reason.tolist() == [reasons[action] for action in found.action]


@pytest.mark.parametrize(
    "recipe",
    [
        Smr(SmrSettings(temperature=0.6)),
        DivideMix(DivideMixSettings(temperature=0.6)),
        Resup(ResupSettings()),
        Unicon(UniconSettings(temperature=0.6)),
    ],
)
def test_the_label_table_holds_refined_and_guessed_labels(recipe, partition):
    """ReSup sharpens nothing; UNICON weighs labels by their divergence, the others by w."""
    clean, temperature = partition.clean_probability.mean(axis=0), 0.6
    weight = clean
    if isinstance(recipe, Resup):
        temperature = 1.0
    if isinstance(recipe, Unicon):
        clean, weight = partition.clean_probability[0], partition.evidence["label_weight"]
    found = recipe.relabel(partition, OBSERVED)
    check_labels(found, partition, clean, weight, temperature)


def odd_context():
    training = TrainingSettings(warm_up_epochs=7, rounds=1, epochs_per_round=3)
    return dataclasses.replace(make_context(OBSERVED, CLASSES), training=training)


@pytest.mark.parametrize(
    ("recipe", "settings"), [(Smr, SmrSettings), (DivideMix, DivideMixSettings)]
)
def test_settings_and_the_other_networks_division_reach_mixmatch(recipe, settings, partition):
    made = recipe(
        settings(
            alpha=0.7,
            temperature=0.3,
            clean_threshold=0.8,
            unlabelled_weight=6.0,
            ramp_up_epochs=5.0,
            labelled_batch_size=9,
        )
    )
    context = odd_context()
    for net, work in enumerate(made.epoch(8, context, (partition, None))):
        given, clean = work.objective, partition.clean_probability[1 - net]
        assert (given.network, given.peer, given.classes) == (net, 1 - net, CLASSES)
        assert (given.alpha, given.temperature, given.unlabelled_weight) == (0.7, 0.3, 6.0)
        assert (given.ramp_up_start, given.ramp_up_epochs) == (7, 5.0)
        assert given.observed.tolist() == OBSERVED.tolist()
        np.testing.assert_array_equal(given.clean_probability, clean)
        labelled, unlabelled = (set(stream.rows.tolist()) for stream in work.streams)
        assert labelled == {i for i in range(ROWS) if clean[i] > 0.8}
        assert unlabelled == set(range(ROWS)) - labelled
        assert [stream.batch_size for stream in work.streams] == [9, 9]


def test_settings_and_the_selection_reach_unicons_mixmatch(partition):
    own = UniconSettings(
        alpha=0.7,
        temperature=0.3,
        unlabelled_weight=6.0,
        ramp_up_epochs=5.0,
        contrastive_weight=0.2,
        contrastive_temperature=0.9,
        labelled_batch_size=9,
    )
    passes = Unicon(own).epoch(8, odd_context(), (partition, None))
    assert len(passes) == 2
    for net, work in enumerate(passes):
        given = work.objective.mixmatch
        assert (given.network, given.peer, given.classes) == (net, 1 - net, CLASSES)
        assert (given.alpha, given.temperature, given.unlabelled_weight) == (0.7, 0.3, 6.0)
        assert (given.ramp_up_start, given.ramp_up_epochs) == (7, 5.0)
        assert given.observed.tolist() == OBSERVED.tolist()
        np.testing.assert_array_equal(given.clean_probability, partition.evidence["label_weight"])
        assert (work.objective.weight, work.objective.temperature) == (0.2, 0.9)
        selected = np.flatnonzero(partition.evidence["selected"])
        assert work.streams[0].rows.tolist() == selected.tolist()
        assert [stream.batch_size for stream in work.streams] == [9, int(9 / (2 * 0.5))]


@pytest.mark.parametrize("recipe", [Smr(SmrSettings(clean_threshold=0.7)),
                                    DivideMix(DivideMixSettings(clean_threshold=0.7))])  # fmt: skip
def test_the_clean_threshold_is_the_partitions_cut_off(recipe):
    logits = np.random.default_rng(0).normal(size=(2, ROWS, CLASSES)).astype(np.float32)
    assert recipe.partition(Observation(logits), odd_context(), {}).threshold == 0.7


FACES = [OBSERVED.tolist().index(k) for k in (2, 0, 3, 1)]


def one_step(recipe, work):
    networks = [make_network(recipe, CLASSES).eval() for _ in range(2)]
    with torch.no_grad():
        for network, factor in zip(networks, (90, -300), strict=True):
            network.classifier.weight.mul_(factor)
    return networks, make_step(work, networks, {"all": FACES}, seed=2)


@pytest.mark.parametrize("net", [0, 1])
def test_smrs_warm_up_is_mixup_of_the_observed_labels(net):
    """``l CE(f(x~), y) + (1 - l) CE(f(x~), y[perm])`` with ``l ~ Beta(alpha, alpha)``."""
    recipe = Smr(SmrSettings(alpha=2.0))
    work = recipe.warm_up(odd_context())[net]
    assert (work.kind, work.trains) == ("mixup", (net,))
    networks, step = one_step(recipe, work)
    (term,) = work.objective(step)
    drawn = np.random.default_rng(2).beta(2.0, 2.0)
    coefficient = max(drawn, 1 - drawn)
    partners = torch.randperm(4, generator=torch.Generator().manual_seed(2)).tolist()
    assert partners != [0, 1, 2, 3] and 0.5 < coefficient < 0.99
    pictures, labels = step.batches["all"].views[0], OBSERVED[FACES]
    for i, j in enumerate(partners):
        mixed = coefficient * pictures[i] + (1 - coefficient) * pictures[j]
        logs = networks[net](mixed[None]).log_softmax(1)[0]
        expected = -coefficient * logs[labels[i]] - (1 - coefficient) * logs[labels[j]]
        torch.testing.assert_close(term.values[i], expected, atol=1e-4, rtol=1e-3)
    assert term.weight == 1.0 and term.values.std() > 0.05


@pytest.mark.parametrize("net", [0, 1])
def test_smrs_recalibration_is_cross_entropy_of_the_observed_labels(net):
    recipe = Smr(SmrSettings())
    work = recipe.epoch(29, odd_context(), None)[net]
    networks, step = one_step(recipe, work)
    (term,) = work.objective(step)
    logits = networks[net](step.batches["all"].views[0])
    labels = torch.from_numpy(OBSERVED[FACES])
    expected = functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(term.values, expected)
    assert term.weight == 1.0
