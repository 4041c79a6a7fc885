"""What a benchmark record says about the machine and the code, and measuring in a process alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "pandas", "Pillow")


def require_data(path: str | Path) -> None:
    """End with one sentence where a file that is not handed out with the code is missing."""
    if not Path(path).is_file():
        raise SystemExit(
            f"there is no file {path}: name its folder with --data; the head of docs/results.md "
            "says what the file holds"
        )


def measured_alone(script: str, *arguments: str) -> dict[str, Any]:
    """Run a benchmark's script in a process of its own and return the JSON that it prints.

    What one case leaves in memory, or has loaded already, has no part in the next.
    """
    command = [sys.executable, script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    print(*arguments, found, flush=True)
    return found


def forget_peak() -> None:
    """Let the process's peak of memory start anew at what it holds now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mebibytes() -> float:
    """Return the most memory the process held since :func:`forget_peak` (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def own_mebibytes() -> float:
    """Return what the process holds now without pages of mapped files (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def describe_environment(device: str) -> dict[str, Any]:
    """Return package versions, processor or GPU, and the git commit (with ``+`` if changed).

    Records and what is rendered from them are no code: that they changed says nothing.
    """
    import torch

    from ferclean.train.device import choose_device, uses_bfloat16

    commit = _git("rev-parse", "HEAD")
    no_code = (":!benchmarks/results", ":!docs")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *no_code)
    gpu = torch.cuda.get_device_name(0) if device != "cpu" and torch.cuda.is_available() else None
    return {
        "commit": commit + ("+" if changed else ""),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "device": gpu or f"{os.cpu_count()} CPU cores, {platform.machine()}",
        "processor": _processor(),
        "bfloat16": uses_bfloat16(choose_device(device), "auto"),
    }


def _processor() -> str:
    """Return the processor's model, for another one may train in other numbers."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown" if arguments[0] == "rev-parse" else done.stdout.strip()
