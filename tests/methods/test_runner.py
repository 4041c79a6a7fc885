from __future__ import annotations

import numpy as np
import pytest
import torch

from ferclean.config.methods.smp import SmpSettings
from ferclean.config.training import ModelSettings
from ferclean.methods.runner import Looks, Run
from ferclean.methods.smp import Smp
from ferclean.models.registry import build_network
from ferclean.train.observe import observe
from ferclean.train.passes import Pass
from ferclean.train.pictures import Pictures
from ferclean.train.state import TrainState
from fixtures.recipe_steps import make_context

SIZE = {"classes": 3, "channels": 1, "image_size": 24}


def one_pass(*trains):
    return Pass("some", trains, (), lambda step: [])


@pytest.fixture
def run():
    faces = np.random.default_rng(0).integers(0, 256, size=(30, 24, 24, 1), dtype=np.uint8)
    context = make_context(np.arange(20) % 3, 3)
    parts = [
        Pictures(faces, rows, device=context.device, settings=context.training)
        for rows in (np.arange(20), np.arange(20, 30))
    ]
    return Run(Smp(SmpSettings()), context, *parts)


@pytest.fixture
def state(run):
    build = run.recipe.heads
    networks = [
        build_network(
            ModelSettings("tiny48"), **SIZE, seed=n, heads=lambda dim: build(dim, run.context)
        )
        for n in range(3)
    ]
    return TrainState(networks, [])


@pytest.fixture
def asked(state, monkeypatch):
    """Which networks were asked, a picture batch each."""
    found = []
    for number, network in enumerate(state.networks):
        own = network.outputs

        def outputs(batch, names, own=own, number=number):
            found.append((number, len(batch)))
            return own(batch, names)

        monkeypatch.setattr(network, "outputs", outputs)
    return found


def change(state, *networks):
    for number in networks:
        with torch.no_grad():
            state.networks[number].classifier.weight.add_(0.5)
    state.epoch += 1


def assert_is_true(seen, run, state, part):
    settings, outputs = run.context.training, run.recipe.outputs
    true = observe(state.networks, getattr(run, part), settings, outputs=outputs, epoch=state.epoch)
    np.testing.assert_array_equal(seen.logits, true.logits)
    assert seen.epoch == true.epoch and set(seen.outputs) == set(true.outputs) != set()
    for name, values in true.outputs.items():
        np.testing.assert_array_equal(seen.outputs[name], values)


def test_networks_that_rest_are_asked_once(run, state, asked):
    looks = Looks()
    for trained in ((0, 1), (1,), (), (0, 2), (1,)):
        change(state, *trained)
        looks.after_epoch([one_pass(n) for n in trained])
        for part in ("training", "held_out"):
            known = part in looks.kept
            asked.clear()
            seen = looks.look(run, part, state)
            size = len(getattr(run, part))
            assert asked == [(n, size) for n in (trained if known else (0, 1, 2))]
            assert_is_true(seen, run, state, part)


def test_a_part_that_was_passed_over_for_some_epochs_is_right(run, state):
    looks = Looks()
    change(state, 0)
    looks.after_epoch([one_pass(0)])
    looks.look(run, "training", state)
    for network in (1, 2):
        change(state, network)
        looks.after_epoch([one_pass(network)])
    assert_is_true(looks.look(run, "training", state), run, state, "training")


def test_nothing_is_kept_where_all_are_trained(run, state):
    looks = Looks()
    looks.look(run, "training", state)
    assert not looks.kept  # before the first epoch it is not known who rests
    change(state, 0, 1, 2)
    looks.after_epoch([one_pass(0, 1), one_pass(2)])
    assert_is_true(looks.look(run, "held_out", state), run, state, "held_out")
    assert not looks.kept
