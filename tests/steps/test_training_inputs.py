"""What is built for a run, and what is only read."""

import pytest
import torch

from ferclean.config.methods import METHOD_NAMES
from ferclean.config.training import ModelSettings
from ferclean.errors import FercleanError
from ferclean.methods.ldl_alsg import LdlAlsg
from ferclean.methods.runner import History
from ferclean.models.registry import build_network
from ferclean.steps.pretrain import pretrain
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import MADE_WITH, open_training
from ferclean.train.state import save_torch, state_to_dict
from fixtures.small_data import run_files, small_settings, write_small_data


def test_a_memory_that_a_checkpoint_holds_is_not_computed_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = run_files(*write_small_data(tmp_path / "data"), "ldl_alsg", small_settings())
    with open_training(files) as inputs:
        state = inputs.fresh_state()
        assert set(state.memory) == {"neighbour_index", "neighbour_weight"}
        save_torch(state_to_dict(state, inputs.identity), tmp_path / "checkpoint.pt")
        resume = ResumeFile("train", inputs, files.paths, {})
        resume.save(state, History())

        def refuse(recipe, context):
            raise AssertionError("the graph of all rows was built again")

        monkeypatch.setattr(LdlAlsg, "start_memory", refuse)
        resumed = resume.load()
        assert resumed is not None
        for again in (inputs.load_state(tmp_path / "checkpoint.pt"), resumed[0]):
            for name, values in state.memory.items():
                assert (again.memory[name] == values).all()
                assert again.memory[name].dtype == values.dtype
        with pytest.raises(AssertionError, match="built again"):
            inputs.fresh_state()


@pytest.fixture
def published(tmp_path):
    """A plain network with as many classes as the small data, as a file."""
    network = build_network(
        ModelSettings(name="tiny48"), classes=3, channels=1, image_size=24, seed=7
    )
    torch.save(network.state_dict(), tmp_path / "published.pt")
    return tmp_path / "published.pt", network.state_dict()


def on_weights(folder, method, path):
    return run_files(*write_small_data(folder / "data"), method, small_settings(weights=path))


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_method_starts_from_published_weights(tmp_path, published, method):
    path, weights = published
    with open_training(on_weights(tmp_path, method, path)) as inputs:
        built, networks = inputs.unfilled_state().networks, inputs.fresh_state().networks
    for seeded, network in zip(built, networks, strict=True):
        plain = isinstance(network.classifier, torch.nn.Linear)
        for name, value in network.state_dict().items():
            taken = name.startswith("backbone.") or (plain and name.startswith("classifier."))
            assert torch.equal(value, weights[name] if taken else seeded.state_dict()[name]), name


def test_only_the_first_step_reads_published_weights(tmp_path, published, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, _ = published
    files = on_weights(tmp_path, "scn", path)
    with open_training(files) as inputs:
        state = inputs.fresh_state()
        save_torch(state_to_dict(state, inputs.identity), tmp_path / "checkpoint.pt")
        resume = ResumeFile("train", inputs, files.paths, {})
        resume.save(state, History())
        path.unlink()
        resumed = resume.load()
        assert resumed is not None
        for again in (inputs.load_state(tmp_path / "checkpoint.pt"), resumed[0]):
            for name, value in again.networks[0].state_dict().items():
                assert torch.equal(value, state.networks[0].state_dict()[name])
    with pytest.raises(FercleanError, match=r"^model\.weights: file not found: .*published\.pt$"):
        pretrain(files, output=tmp_path / "pretrain")


def test_other_published_weights_do_not_resume(tmp_path, published):
    path, weights = published
    files = on_weights(tmp_path, "cross_entropy", path)
    with open_training(files) as inputs:
        first = ResumeFile("pretrain", inputs, [*files.paths, path], {}).path
        torch.save({name: value + 1 for name, value in weights.items()}, path)
        assert ResumeFile("pretrain", inputs, [*files.paths, path], {}).path != first


@pytest.mark.parametrize(("made", "now"), [("adamw", "sgd"), ("adam", "adamw"), ("sgd", "adam")])
def test_a_checkpoint_of_another_optimiser_is_refused(tmp_path, monkeypatch, made, now):
    monkeypatch.chdir(tmp_path)
    data = write_small_data(tmp_path / "data")
    before, after = (
        run_files(
            *data, "cross_entropy", small_settings(warm_up_epochs=1, optimizer={"name": name})
        )
        for name in (made, now)
    )
    pretrain(before, output=tmp_path / "run")
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    sentence = rf"checkpoint\.pt was made with training\.optimizer\.name '{made}', but .* '{now}'"
    with open_training(after) as inputs, pytest.raises(FercleanError, match=sentence):
        inputs.load_state(checkpoint)
    with open_training(before) as inputs:
        assert inputs.load_state(checkpoint).epoch == 1


@pytest.mark.parametrize("made_with", ["", "[]", "[" * 10**5, 3, torch.zeros(2), b"\xff", {}])
def test_a_checkpoint_whose_settings_cannot_be_read_is_refused(tmp_path, made_with):
    files = run_files(*write_small_data(tmp_path / "data"), "cross_entropy", small_settings())
    with open_training(files) as inputs:
        content = state_to_dict(inputs.fresh_state(), inputs.identity)
        save_torch(content, tmp_path / "first.pt")
        assert inputs.load_state(tmp_path / "first.pt").epoch == 0
        save_torch({**content, MADE_WITH: made_with}, tmp_path / "x.pt")
        with pytest.raises(FercleanError, match=r"x\.pt does not say what it was made with"):
            inputs.load_state(tmp_path / "x.pt")
