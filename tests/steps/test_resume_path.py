"""The name of a resume file: anything that decides the result gives another one."""

import pytest

from ferclean.steps import resume_path as module
from ferclean.steps.resume_path import resume_path


@pytest.fixture
def name(tmp_path, monkeypatch):
    source, data = tmp_path / "source.py", tmp_path / "data.bin"
    source.write_text("a = 1")
    data.write_bytes(b"1")
    monkeypatch.setattr(module, "code_digest", lambda step, folder: source.read_text())

    def make(step="train", values=("x", {"a": 1}), *, code=None, content=None):
        if code is not None:
            source.write_text(code)
        if content is not None:
            data.write_bytes(content)
        return resume_path(step, values, [data], code_of="train")

    return make


def test_the_same_run_finds_its_file_again(name):
    assert name() == name(values=iter(["x", {"a": 1}]))
    assert name(values=[{"a": 1, "b": 2}]) == name(values=[{"b": 2, "a": 1}])


def test_step_settings_files_and_code_count(name):
    found = [name(), name("pretrain"), name(values=("x", {"a": 2})), name(content=b"2")]
    found.append(name(code="a = 2"))
    assert len(set(found)) == 5


def test_values_do_not_run_into_each_other(name):
    assert name(values=[1, 23]) != name(values=[12, 3])
