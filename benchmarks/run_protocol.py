"""Run a benchmark protocol from pictures to a JSON record.

    python benchmarks/run_protocol.py p1 --data ../shared/data
    python benchmarks/run_protocol.py p6 --jobs 2

The steps run in processes of this program, through the same files as the workflow's; no
workflow software is needed. The record goes to ``benchmarks/results/<protocol>.json``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from environment import describe_environment
from ferclean.config.load import Settings, build_settings
from ferclean.config.runs import parse_setting, runs_of
from ferclean.tables.atomic import read_json, write_json

HERE = Path(__file__).parent


def main() -> None:
    """Parse the command line, run every run of the protocol, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("protocol", help="name of a file in benchmarks/protocols")
    parser.add_argument("--data", type=Path, help="folder that data.path is relative to")
    parser.add_argument("--work", type=Path, help="scratch folder (default results/benchmarks)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--only", nargs="*", help="methods to run (default: all of the protocol)")
    options = parser.parse_args()

    raw = yaml.safe_load((HERE / "protocols" / f"{options.protocol}.yaml").read_text())
    params = _with_data_folder(raw, options.data)
    settings = build_settings(params)
    work = (options.work or Path("results/benchmarks")) / options.protocol
    prepare(work, settings)
    runs = [run for run in runs_of(settings) if not options.only or run[1] in options.only]
    for setting in dict.fromkeys(setting for setting, _ in runs):
        inject(work, setting, settings)
    one = partial(run_one, work, params, options.device)
    started = time.time()
    with ProcessPoolExecutor(options.jobs) as pool:
        results = list(pool.map(one, runs))
    record = {
        "protocol": options.protocol,
        "command": f"python benchmarks/run_protocol.py {options.protocol}",
        "params": raw,
        "environment": describe_environment(options.device),
        "jobs": options.jobs,
        "wall_seconds": round(time.time() - started, 1),
        "runs": dict(results),
    }
    write_json(HERE / "results" / f"{options.protocol}.json", record)


def prepare(work: Path, settings: Settings) -> None:
    """Ingest and align once."""
    from ferclean.steps.align import align
    from ferclean.steps.ingest import ingest

    if not (work / "align" / "faces.npy").exists():
        ingest(output=work / "ingest", settings=settings)
        align(
            samples=work / "ingest" / "samples.parquet",
            pictures=work / "ingest" / "pictures.arrow",
            output=work / "align",
            settings=settings,
        )


def inject(work: Path, setting: str, settings: Settings) -> None:
    """Inject one setting's noise."""
    from ferclean.steps.inject_noise import inject_noise

    kind, rate, seed = parse_setting(setting)
    inject_noise(
        samples=work / "align" / "samples.parquet",
        faces=work / "align" / "faces.npy",
        output=work / "noise" / setting,
        kind=kind,
        rate=rate,
        seed=seed,
        settings=settings,
    )


def run_one(
    work: Path, params: dict[str, Any], device: str, run: tuple[str, str]
) -> tuple[str, dict[str, Any]]:
    """Train and evaluate one run; return its name and metrics."""
    from ferclean.steps.chain import train_all_rounds
    from ferclean.steps.evaluate import evaluate
    from ferclean.steps.training_inputs import RunFiles

    setting, method = run
    settings, name = build_settings(params), f"{setting}/{method}"
    noise = work / "noise" / setting
    oracle = method == "oracle_clean"
    started = time.time()
    files = RunFiles(
        work / "align" / "faces.npy",
        noise / ("oracle_clean.parquet" if oracle else "labels.parquet"),
        method,
        parse_setting(setting).seed,
        device,
        settings,
    )
    train_all_rounds(files, pretrained=work / "pretrain" / name, denoised=work / "denoise" / name)
    seconds = time.time() - started
    evaluate(
        labels=noise / "labels.parquet",
        pretrain=work / "pretrain" / name,
        denoise=work / "denoise" / name,
        rounds=settings.training.rounds,
        output=work / "evaluate" / name,
        settings=settings,
    )
    metrics = read_json(work / "evaluate" / name / "metrics.json")
    print(f"{name}: done in {seconds:.0f} s", file=sys.stderr, flush=True)
    return name, {"training_seconds": round(seconds, 1), "metrics": metrics}


def _with_data_folder(raw: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    data = dict(raw["data"])
    if data.get("path"):
        root = folder or Path(os.environ.get("FERCLEAN_SHARED_DATA", "../shared/data"))
        data["path"] = str(root / data["path"])
    return {**raw, "data": data}


if __name__ == "__main__":
    main()
