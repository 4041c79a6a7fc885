import pytest
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.train import device as module
from ferclean.train.device import arithmetic, autocast, choose_device


def test_auto_takes_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(FercleanError, match="finds no CUDA GPU"):
        choose_device("cuda")
    with pytest.raises(FercleanError, match="auto, cpu or cuda"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")


def test_arithmetic_is_put_back():
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    with arithmetic(torch.device("cpu"), TrainingSettings(cpu_threads=1)):
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert before == (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())


@pytest.mark.parametrize(
    ("precision", "fast", "expected"),
    [
        ("float32", True, torch.float32),
        ("bfloat16", False, torch.bfloat16),
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float32),
    ],
)
def test_precision(monkeypatch, precision, fast, expected):
    monkeypatch.setattr(module, "_has_fast_bfloat16", lambda device: fast)
    matrix = torch.ones(2, 2)
    with autocast(torch.device("cpu"), precision):
        assert (matrix @ matrix).dtype == expected
