from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
import torch

from ferclean.config.training import ModelSettings, OptimizerSettings
from ferclean.errors import FercleanError
from ferclean.train.state import (
    Identity,
    fresh_state,
    load_torch,
    restore_state,
    save_torch,
    state_to_dict,
)

CPU = torch.device("cpu")
IDENTITY = Identity("smr", ("a", "b"), 1, 24, 0, (0.5,), (0.25,), ModelSettings("tiny48"))


def make_state(identity=IDENTITY, networks=2):
    return fresh_state(identity, networks, OptimizerSettings(), CPU)


def trained_state():
    state = make_state()
    for network, optimizer in zip(state.networks, state.optimizers, strict=True):
        network(torch.randn(4, 1, 24, 24)).square().sum().backward()
        optimizer.step()
    state.epoch, state.memory = 7, {"losses": np.arange(6, dtype=np.float32).reshape(2, 3)}
    return state


def test_networks_are_seeded_each_with_its_own_seed():
    first, again = make_state(), make_state()
    other = make_state(dataclasses.replace(IDENTITY, seed=1))
    weight = lambda state, net: next(state.networks[net].parameters())  # noqa: E731
    assert torch.equal(weight(first, 0), weight(again, 0))
    assert not torch.equal(weight(first, 0), weight(first, 1))
    assert not torch.equal(weight(first, 0), weight(other, 0))


def test_everything_survives_the_file_and_equal_states_give_equal_bytes(tmp_path):
    state = trained_state()
    for name in ("a.pt", "b.pt"):
        save_torch(state_to_dict(state, IDENTITY), tmp_path / name)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    found = make_state()
    restore_state(found, load_torch(tmp_path / "a.pt", CPU), IDENTITY, "a.pt")
    save_torch(state_to_dict(found, IDENTITY), tmp_path / "c.pt")
    assert (tmp_path / "c.pt").read_bytes() == (tmp_path / "a.pt").read_bytes()
    assert found.epoch == 7
    np.testing.assert_array_equal(found.memory["losses"], state.memory["losses"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"method": "cross_entropy"}, "method 'smr'"),
        ({"classes": ("b", "a")}, r"classes \['a', 'b'\]"),
        ({"image_size": 48}, "image_size 24"),
        ({"seed": 3}, "seed 0"),
        ({"normalise_mean": (0.4,)}, "normalise_mean"),
        ({"model": ModelSettings("tiny48", dropout=0.5)}, "model"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(change, named):
    other = dataclasses.replace(IDENTITY, **change)
    content = state_to_dict(make_state(), IDENTITY)
    with pytest.raises(FercleanError, match=rf"x\.pt was made for {named}"):
        restore_state(make_state(other), content, other, "x.pt")


def test_tensors_must_fit_strictly():
    content = state_to_dict(make_state(), IDENTITY)
    content["networks"][0].pop(next(iter(content["networks"][0])))
    with pytest.raises(FercleanError, match=r"x\.pt does not fit this run"):
        restore_state(make_state(), content, IDENTITY, "x.pt")
    one = state_to_dict(make_state(networks=1), IDENTITY)
    with pytest.raises(FercleanError, match="does not fit"):
        restore_state(make_state(), one, IDENTITY, "x.pt")
    with pytest.raises(FercleanError, match="not a ferclean checkpoint"):
        restore_state(make_state(), {"format": 99}, IDENTITY, "x.pt")


class Bomb:
    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps(Bomb())])
def test_a_file_that_is_no_checkpoint_is_one_sentence_and_runs_nothing(tmp_path, content, capsys):
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(FercleanError, match=r"x\.pt is not a readable checkpoint"):
        load_torch(path, CPU)
    torch.save({"bomb": Bomb()}, path)
    with pytest.raises(FercleanError, match=r"x\.pt is not a readable checkpoint"):
        load_torch(path, CPU)
    with pytest.raises(FercleanError, match="checkpoint not found"):
        load_torch(tmp_path / "nothing.pt", CPU)
    assert "ran" not in capsys.readouterr().out


def test_a_truncated_checkpoint_is_refused(tmp_path):
    path = tmp_path / "x.pt"
    save_torch(state_to_dict(make_state(), IDENTITY), path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(FercleanError, match="not a readable checkpoint"):
        load_torch(path, CPU)


def test_todays_weight_decay_wins_over_the_checkpoints():
    saved = state_to_dict(trained_state(), IDENTITY)
    state = fresh_state(IDENTITY, 2, OptimizerSettings(weight_decay=0.5), CPU)
    restore_state(state, saved, IDENTITY, "x.pt")
    assert state.optimizers[0].param_groups[0]["weight_decay"] == 0.5
    assert state.optimizers[0].state_dict()["state"]


def test_a_checkpoint_without_identity_is_refused():
    content = {**state_to_dict(make_state(), IDENTITY), "identity": None}
    with pytest.raises(FercleanError, match="does not say what it was made for"):
        restore_state(make_state(), content, IDENTITY, "x.pt")
