"""Where training runs and with which arithmetic."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.network import Network

# Batch sizes of a run: of every stream and its last batch, trained on and only looked at, in all
# combinations of views.
_MOST_SIZES = 256


def choose_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu`` or ``cuda`` into a device; ``auto`` takes a GPU when there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise FercleanError("--device cuda was asked for but torch finds no CUDA GPU; use auto")
    if name not in ("cpu", "cuda"):
        raise FercleanError(f"--device must be auto, cpu or cuda, found {name!r}")
    return torch.device(name)


def compile_backbones(networks: Iterable[Network]) -> None:
    """Let torch compile the backbones when they are first called, once for each batch size.

    One kernel for all batch sizes would take as long as no compiling at all, and which one is made
    would hang on the sizes that came before. A backbone that cannot be compiled (no C++ compiler,
    an unsupported operation) says so in the log and runs as it is. Names and values of parameters
    stay as they are.
    """
    from torch import _dynamo  # heavy, and of no use to anybody else

    _dynamo.config.suppress_errors = True
    _dynamo.config.recompile_limit = _MOST_SIZES
    for network in networks:
        network.backbone.compile(dynamic=False)


@contextlib.contextmanager
def arithmetic(device: torch.device, settings: TrainingSettings) -> Iterator[None]:
    """Set threads, determinism and cuDNN's search for a training job; put them back afterwards.

    The number of CPU threads is a parameter rather than whatever the machine has: sums are
    split over threads, so another number gives other last bits.
    """
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    searching = torch.backends.cudnn.benchmark
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(settings.cpu_threads)
    torch.use_deterministic_algorithms(settings.deterministic)
    torch.backends.cudnn.benchmark = device.type == "cuda" and not settings.deterministic
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        torch.backends.cudnn.benchmark = searching


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """Return the autocast context: bfloat16 where asked for, under ``auto`` where it is fast."""
    return torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=uses_bfloat16(device, precision)
    )


def uses_bfloat16(device: torch.device, precision: str) -> bool:
    """Tell what a precision comes to on a device."""
    return precision == "bfloat16" or (precision == "auto" and _has_fast_bfloat16(device))


@functools.cache
def _has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether the device multiplies bfloat16 in hardware: GPUs, newer server processors."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:  # not Linux: float32 is always right, only slower
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
