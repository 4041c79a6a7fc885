import numpy as np
import pytest
import torch

from ferclean.config.load import build_settings
from ferclean.config.methods.smr import SmrSettings
from ferclean.config.presets import load_preset, preset_names
from ferclean.config.training import TrainingSettings
from ferclean.methods.base import Context
from ferclean.methods.smr import Smr
from ferclean.partition.mixtures import fit_two_gaussians, scale_to_unit
from ferclean.partition.scores import cross_entropy_score
from ferclean.tables.partitions import Partition
from ferclean.train.mixmatch import MixMatch
from ferclean.train.observe import Observation
from ferclean.train.seeds import derive_seed

CLASSES = 4


@pytest.fixture
def random():
    return np.random.default_rng(0)


def make_context(observed, **training):
    return Context(observed, CLASSES, 0, TrainingSettings(**training), torch.device("cpu"))


def make_logits(observed, random, wrong):
    """Two networks that know the labels, apart from those rows that carry a wrong one."""
    truth = np.where(wrong, (observed + 1) % CLASSES, observed)
    logits = random.normal(size=(2, len(observed), CLASSES)).astype(np.float32)
    logits[:, np.arange(len(observed)), truth] += 6
    return logits


@pytest.fixture
def noisy(random):
    observed = random.integers(CLASSES, size=300)
    wrong = random.random(300) < 0.3
    return observed, wrong, make_logits(observed, random, wrong)


def test_partition_is_each_networks_mixture_over_its_own_scaled_losses(noisy):
    observed, wrong, logits = noisy
    found = Smr(SmrSettings()).partition(Observation(logits), make_context(observed), {})
    for net in range(2):
        loss = scale_to_unit(cross_entropy_score(logits[net], observed)).astype(np.float32)
        np.testing.assert_array_equal(found.score[net], loss)
        expected = fit_two_gaussians(loss, seed=derive_seed(0, "mixture", net))
        np.testing.assert_array_equal(found.clean_probability[net], expected.clean_probability)
        assert found.parameters[f"net_{net}"] == expected.parameters
    assert ((found.clean_probability < 0.5) == wrong).mean() > 0.97


def test_relabelling_repairs_wrong_labels_and_keeps_right_ones(noisy):
    observed, wrong, logits = noisy
    recipe = Smr(SmrSettings())
    found = recipe.relabel(
        recipe.partition(Observation(logits), make_context(observed), {}), observed
    )
    truth = np.where(wrong, (observed + 1) % CLASSES, observed)
    assert (found.label == truth).mean() > 0.97
    assert set(found.action[~wrong]) <= {"keep", "soften"}
    np.testing.assert_allclose(found.distribution.sum(axis=1), 1, atol=1e-5)


def test_each_network_trains_on_the_other_networks_split(noisy):
    observed, _, logits = noisy
    recipe, context = Smr(SmrSettings()), make_context(observed)
    found = recipe.partition(Observation(logits), context, {})
    flipped = found.clean_probability.copy()
    flipped[1] = 1 - flipped[1]
    split = (Partition("x", found.score, flipped, found.probabilities), None)
    for net, work in enumerate(recipe.epoch(40, context, split)):
        labelled, unlabelled = work.streams
        assert work.trains == (net,)
        assert labelled.rows.tolist() == np.flatnonzero(flipped[1 - net] > 0.5).tolist()
        assert sorted([*labelled.rows, *unlabelled.rows]) == list(range(300))
        assert isinstance(work.objective, MixMatch) and work.objective.peer == 1 - net
        np.testing.assert_array_equal(work.objective.clean_probability, flipped[1 - net])


@pytest.mark.parametrize(
    ("period", "warm_up", "epochs", "expected"),
    [  # recalibration epochs implied by the authors' code, section 2.4 of the specification
        (30, 10, 301, [29, 59, 89, 119, 149, 179, 209, 239, 269, 299]),
        (30, 30, 301, [59, 89, 119, 149, 179, 209, 239, 269, 299]),
        (15, 30, 201, [44, 59, 74, 89, 104, 119, 134, 149, 164, 179, 194]),
        (15, 1, 121, [14, 29, 44, 59, 74, 89, 104, 119]),
        (10, 1, 81, [9, 19, 29, 39, 49, 59, 69, 79]),
        (0, 1, 81, []),
    ],
)
def test_recalibration_epochs(period, warm_up, epochs, expected):
    recipe = Smr(SmrSettings(recalibration_period=period))
    length = {"warm_up_epochs": warm_up, "rounds": 1, "epochs_per_round": epochs - warm_up}
    context = make_context(np.zeros(3, int), **length)
    due = [e for e in range(warm_up, epochs) if not recipe.needs_partition(e, context)]
    assert due == expected


@pytest.mark.parametrize("name", [n for n in preset_names() if n == "fer" or n.startswith("smr")])
def test_no_preset_ends_on_a_recalibration(name):
    settings = build_settings(load_preset(name))
    context = Context(np.zeros(3, int), 3, 0, settings.training, torch.device("cpu"))
    last = settings.training.total_epochs - 1
    assert Smr(settings.methods.smr).needs_partition(last, context)


def test_recalibration_is_plain_cross_entropy_on_all_rows_for_both_networks(noisy):
    observed, _, _ = noisy
    recipe = Smr(SmrSettings(recalibration_period=30))
    context = make_context(observed, rounds=10)
    passes = recipe.epoch(29, context, None)
    assert [work.trains for work in passes] == [(0,), (1,)]
    for work in passes:
        assert work.kind == "recalibration"
        assert work.streams[0].rows.tolist() == list(range(300))
        assert work.streams[0].batch_size == context.training.batch_size


def test_losses_of_the_last_five_epochs_are_averaged(noisy, random):
    observed, wrong, _ = noisy
    recipe, context = Smr(SmrSettings(loss_history=5)), make_context(observed)
    memory, seen = {}, []
    for _ in range(7):
        logits = make_logits(observed, random, wrong)
        seen.append([scale_to_unit(cross_entropy_score(z, observed)) for z in logits])
        found = recipe.partition(Observation(logits), context, memory)
        memory = recipe.remember(memory, found)
    mean = np.mean(np.array(seen[-5:], dtype=np.float32), axis=0)
    for net in range(2):
        expected = fit_two_gaussians(mean[net], seed=derive_seed(0, "mixture", net))
        np.testing.assert_array_equal(found.clean_probability[net], expected.clean_probability)
    assert memory["scaled_losses"].shape == (4, 2, 300)


def test_nothing_labelled_falls_back_to_cross_entropy_and_nothing_noisy_to_one_stream(noisy):
    observed, _, logits = noisy
    recipe, context = Smr(SmrSettings()), make_context(observed)
    found = recipe.partition(Observation(logits), context, {})
    clean = np.stack([np.zeros(300, np.float32), np.ones(300, np.float32)])
    split = (Partition("x", found.score, clean, found.probabilities), None)
    first, second = recipe.epoch(40, context, split)
    assert [stream.name for stream in first.streams] == ["labelled"]
    assert second.kind == "nothing_labelled" and len(second.streams[0].rows) == 300


def test_prediction_is_the_softmax_of_mean_logits():
    logits = np.array([[[0.0, 2.0]], [[3.0, 0.0]]], dtype=np.float32)
    e = np.exp([1.5, 1.0])
    np.testing.assert_allclose(
        Smr(SmrSettings()).predict(Observation(logits), {}), [e / e.sum()], rtol=1e-6
    )
