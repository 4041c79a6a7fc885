import pytest
import torch
import torch._dynamo
import torch._inductor.config

from ferclean.config.training import ModelSettings, TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.registry import build_network
from ferclean.train import device as module
from ferclean.train.device import (
    arithmetic,
    autocast,
    choose_device,
    compile_backbones,
    uses_bfloat16,
)


def test_auto_takes_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(FercleanError, match="finds no CUDA GPU"):
        choose_device("cuda")
    with pytest.raises(FercleanError, match="auto, cpu or cuda"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")


def arithmetic_now():
    deterministic = torch.are_deterministic_algorithms_enabled()
    return torch.get_num_threads(), deterministic, torch.backends.cudnn.benchmark


@pytest.mark.parametrize("searching", [True, False])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_arithmetic_is_put_back(monkeypatch, device, searching):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", searching)
    before = arithmetic_now()
    for deterministic in (True, False):
        settings = TrainingSettings(cpu_threads=1, deterministic=deterministic)
        with arithmetic(torch.device(device), settings):
            search = device == "cuda" and not deterministic
            assert arithmetic_now() == (1, deterministic, search)
        assert arithmetic_now() == before


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


def test_auto_does_not_take_a_gpu_that_only_emulates_bfloat16(monkeypatch):
    def is_supported(including_emulation: bool = True) -> bool:
        return including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    monkeypatch.setattr(module, "_has_fast_bfloat16", module._has_fast_bfloat16.__wrapped__)
    gpu = torch.device("cuda")
    assert not uses_bfloat16(gpu, "auto")
    assert uses_bfloat16(gpu, "bfloat16")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    assert uses_bfloat16(gpu, "auto")


def network_and_batch():
    size = {"classes": 3, "channels": 1, "image_size": 16}
    network = build_network(ModelSettings("tiny48"), **size, seed=0)
    return network.eval(), torch.randn(4, 1, 16, 16)


@pytest.mark.slow
def test_a_compiled_backbone_keeps_names_and_nearly_all_bits():
    network, batch = network_and_batch()
    names = list(network.state_dict())
    with torch.no_grad():
        plain = network(batch)
        compile_backbones([network])
        with torch._dynamo.config.patch(suppress_errors=False):
            torch.testing.assert_close(network(batch), plain, atol=1e-4, rtol=1e-4)
    assert list(network.state_dict()) == names
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 1


@pytest.mark.slow
def test_a_backbone_that_cannot_be_compiled_runs_as_it_is():
    torch._dynamo.reset()
    network, batch = network_and_batch()
    no_compiler = {"cpp.cxx": ("/bin/false",), "force_disable_caches": True}
    with torch.no_grad(), torch._inductor.config.patch(no_compiler):
        plain = network(batch)
        compile_backbones([network])
        assert torch.equal(network(batch), plain)
