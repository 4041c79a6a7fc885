"""The training loop against the same epoch written as plain torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ferclean.config.training import AugmentSettings, ModelSettings, TrainingSettings
from ferclean.errors import FercleanError
from ferclean.losses.classification import cross_entropy
from ferclean.train.device import arithmetic
from ferclean.train.loop import run_pass
from ferclean.train.passes import Pass, Stream, Term, walk_once
from ferclean.train.pictures import Pictures
from ferclean.train.schedule import build_optimizer, learning_rate
from ferclean.train.seeds import numpy_stream
from ferclean.train.state import Identity, fresh_state

CPU = torch.device("cpu")
PLAIN = TrainingSettings(
    precision="float32", augment=AugmentSettings(flip=False, shift=0), batch_size=8
)
MODEL = ModelSettings("tiny48", dropout=0.0)
IDENTITY = Identity("smr", ("a", "b", "c"), 1, 24, 0, (0.5,), (0.25,), MODEL)


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, size=(20, 24, 24, 1), dtype=np.uint8)


def control(labels, networks=(0,), weight=1.0):
    def objective(step):
        batch = step.batches["all"]
        logits = step.networks[networks[0]](batch.views[0])
        return [Term("cross_entropy", cross_entropy(logits, labels[batch.rows]), weight)]

    return Pass("cross_entropy", networks, (Stream("all", np.arange(20), 8),), objective)


def run(work, state, faces, settings=PLAIN, number=0):
    pictures = Pictures(faces, np.arange(20), device=CPU, settings=settings)
    with arithmetic(CPU, settings):
        return run_pass(work, number, state, pictures, settings, seed=0)


def test_an_epoch_equals_plain_torch(faces):
    labels = torch.arange(20) % 3
    state = fresh_state(IDENTITY, 1, PLAIN.optimizer, CPU)
    report = run(control(labels), state, faces)

    reference = fresh_state(IDENTITY, 1, PLAIN.optimizer, CPU).networks[0].train()
    optimizer = build_optimizer(reference, PLAIN.optimizer)
    losses = []
    walk = list(walk_once(Stream("all", np.arange(20), 8), numpy_stream(0, "order", 0, 0, 0)))
    for step, rows in enumerate(walk):
        rate = learning_rate(
            PLAIN.optimizer, epoch=step / len(walk), total_epochs=PLAIN.total_epochs
        )
        optimizer.param_groups[0]["lr"] = rate
        pictures = torch.from_numpy(faces[rows].transpose(0, 3, 1, 2)).float() / 255
        loss = torch.nn.functional.cross_entropy(reference((pictures - 0.5) / 0.25), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert report.losses["loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert report.learning_rate == pytest.approx(rate)
    assert report.pictures == 20
    for own, expected in zip(state.networks[0].parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-3, atol=1e-4)


def test_only_the_networks_of_the_pass_change(faces):
    state = fresh_state(IDENTITY, 2, PLAIN.optimizer, CPU)
    before = [[p.clone() for p in net.state_dict().values()] for net in state.networks]
    run(control(torch.arange(20) % 3, networks=(1,)), state, faces)
    changed = [
        any(not torch.equal(a, b) for a, b in zip(old, net.state_dict().values(), strict=True))
        for old, net in zip(before, state.networks, strict=True)
    ]
    assert changed == [False, True]
    assert [net.training for net in state.networks] == [False, True]


def test_weight_scales_the_loss_but_not_the_reported_term(faces):
    labels = torch.arange(20) % 3
    reports = [
        run(control(labels, weight=w), fresh_state(IDENTITY, 1, PLAIN.optimizer, CPU), faces)
        for w in (0.0, 1.0)
    ]
    assert reports[0].losses["loss"] == 0 and reports[0].losses["loss_cross_entropy"] > 0
    assert reports[1].losses["loss"] == pytest.approx(reports[1].losses["loss_cross_entropy"])


def test_passes_of_one_epoch_draw_different_numbers(faces):
    labels = torch.arange(20) % 3
    states = [fresh_state(IDENTITY, 1, PLAIN.optimizer, CPU) for _ in range(2)]
    for number, state in enumerate(states):
        run(control(labels), state, faces, number=number)
    first, second = (next(state.networks[0].parameters()) for state in states)
    assert not torch.equal(first, second)


def test_a_loss_that_is_not_finite_stops_with_the_way_out(faces):
    def objective(step):
        logits = step.networks[0](step.batches["all"].views[0])
        return [Term("broken", logits.sum(dim=1) * float("nan"))]

    work = Pass("bad", (0,), (Stream("all", np.arange(20), 8),), objective)
    with pytest.raises(FercleanError, match=r"epoch 1 \(bad\); lower training.optimizer"):
        run(work, fresh_state(IDENTITY, 1, PLAIN.optimizer, CPU), faces)


def test_normalisation_must_fit_the_channels(faces):
    with pytest.raises(FercleanError, match="normalise_mean must hold one number"):
        Pictures(
            faces, np.arange(20), device=CPU, settings=TrainingSettings(normalise_mean=(0.1, 0.2))
        )
