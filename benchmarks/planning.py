"""How long Snakemake plans a grid of many runs: methods x noise rates x seeds.

    python benchmarks/planning.py

A quiet dry run of the whole workflow in a folder of its own, where nothing is made yet, so that
every job of every run is planned: what one waits for before the first job starts. Several sizes in
turn: the time should grow with the runs, not faster.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from environment import describe_environment
from ferclean.tables.atomic import write_json

_ROOT = Path(__file__).resolve().parents[1]
_RECORD = Path(__file__).parent / "results" / "planning.json"
_METHODS = ["resup", "smr", "sce_ald", "smp", "sampling_softmax", "elr", "mixup", "scn"]
_CONTROLS = ["cross_entropy", "oracle_clean"]
_RATES = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]


def main() -> None:
    """Plan each grid and write down what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = _copy_workflow(Path(folder) / "project")
        found = [_plan_repeatedly(project, runs, chosen.repeats) for runs in sorted(chosen.runs)]
    record = {
        "command": "python benchmarks/planning.py",
        "environment": describe_environment("cpu"),
        "grids": found,
    }
    write_json(_RECORD, record)
    for grid in found:
        print(f"{grid['runs']} runs, {grid['jobs']} jobs: {grid['seconds']:.1f} s")


def _copy_workflow(project: Path) -> Path:
    """Copy what Snakemake reads into a folder without results."""
    project.mkdir()
    for name in ("src", "workflow", "profiles"):
        shutil.copytree(_ROOT / name, project / name)
    for name in ("Snakefile", "params.yaml"):
        shutil.copy(_ROOT / name, project / name)
    return project


def _plan_repeatedly(project: Path, runs: int, repeats: int) -> dict[str, Any]:
    params = yaml.safe_load((_ROOT / "params.yaml").read_text())
    seeds, rest = divmod(runs, len(_RATES) * len(_METHODS + _CONTROLS))
    if rest or not seeds:
        raise SystemExit(f"--runs {runs}: must be multiples of 100")
    params["grid"] |= {
        "methods": _METHODS,
        "controls": _CONTROLS,
        "rates": _RATES,
        "seeds": list(range(seeds)),
    }
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        _dry_run(project)
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    # The table of jobs is printed at the start and at the end.
    (jobs,) = set(re.findall(r"^total\s+(\d+)$", _dry_run(project, "rules"), re.MULTILINE))
    return {
        "runs": seeds * len(_RATES) * len(_METHODS + _CONTROLS),
        "jobs": int(jobs),
        "seconds": statistics.median(seconds),
        "seconds_of_each": seconds,
        "peak_mib": peak,
    }


def _dry_run(project: Path, *quiet: str) -> str:
    """Plan all jobs; return what Snakemake says. A bare ``--quiet`` makes it stop after that."""
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "2", "--resources", "gpu=1"]
    done = subprocess.run(
        [*command, "--quiet", *quiet],
        cwd=project,
        env=os.environ | {"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
