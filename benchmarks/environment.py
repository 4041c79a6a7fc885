"""What a benchmark record says about the machine and the code."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "pandas", "Pillow")


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
    """Return package versions, processor or GPU, and the git commit (with ``+`` if changed)."""
    import torch

    commit = _git("rev-parse", "HEAD")
    changed = "+" if _git("status", "--porcelain", "--untracked-files=no") else ""
    gpu = torch.cuda.get_device_name(0) if device != "cpu" and torch.cuda.is_available() else None
    return {
        "commit": commit + changed,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "device": gpu or f"{os.cpu_count()} CPU cores, {platform.machine()}",
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown" if arguments[0] == "rev-parse" else done.stdout.strip()
