"""All that is measured on a GPU, in at most ten minutes; what time does not suffice for is named.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --list

Each line is a benchmark of its own that writes its own record; the most telling come first. A line
that fails or runs out of time does not stop those behind it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
_FIVE = ["--methods", "cross_entropy", "resup", "smr", "sce_ald", "smp", "sampling_softmax"]
# A script, its arguments, and the seconds after which it is given up.
_PLAN: tuple[tuple[list[str], int], ...] = (
    (["throughput.py", "--model", "resnet18_3x3", "--size", "48", "--pictures", "25600"], 90),
    (["throughput.py", "--model", "resnet18", "--size", "224", "--channels", "3"], 90),
    (["method_cost.py", "--model", "resnet18_3x3", "--pictures", "12000", *_FIVE], 240),
    (["throughput.py", "--model", "resnet18", "--size", "112", "--channels", "3"], 60),
    (["throughput.py", "--model", "resnet50", "--size", "224", "--channels", "3"], 90),
    (["throughput.py", "--model", "vgg16", "--size", "224", "--channels", "3"], 90),
)


def main() -> None:
    """Run line after line until the time is spent."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=570, help="time for all of them")
    parser.add_argument("--list", action="store_true", help="only say what would run")
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    for (script, *words), limit in _PLAN:
        line = [script, "--device", options.device, *words]
        left = end - time.monotonic()
        if options.list:
            print("python benchmarks/" + " ".join(line))
        elif left < 5:
            print(f"no time left: {' '.join(line)}", flush=True)
        else:
            _run(line, min(limit, left))


def _run(line: list[str], limit: float) -> None:
    start = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / line[0]), *line[1:]], timeout=limit, check=False
        )
        outcome = "done" if done.returncode == 0 else f"failed with exit code {done.returncode}"
    except subprocess.TimeoutExpired:
        outcome = "given up"
    print(f"{outcome} after {time.monotonic() - start:.0f} s: {' '.join(line)}", flush=True)


if __name__ == "__main__":
    main()
