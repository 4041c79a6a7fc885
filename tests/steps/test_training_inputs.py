"""What is built for a run, and what is only read."""

import pytest

from ferclean.methods.ldl_alsg import LdlAlsg
from ferclean.methods.runner import History
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import open_training
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
