"""Run a benchmark protocol from pictures to a JSON record.

    python benchmarks/run_protocol.py p1 --data ../shared/data
    python benchmarks/run_protocol.py p6 --jobs 2

The steps run in processes of this program, through the same files as the workflow's; no
workflow software is needed. The record ``benchmarks/results/<protocol>.json`` grows with every
run that is finished: a call goes on with what is missing, or was made with other settings.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from environment import describe_environment
from ferclean.config.load import Settings, build_settings
from ferclean.config.presets import merge
from ferclean.config.runs import parse_setting, runs_of
from ferclean.config.side_inputs import side_inputs
from ferclean.tables.atomic import read_json, write_json
from protocol_steps import (
    digest_of,
    inject,
    make_side_inputs,
    prepare,
    scratch_folder,
    train_and_evaluate,
)

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Protocol:
    """One file of ``benchmarks/protocols``.

    Attributes
    ----------
    name : str
        Of the file and of the record.
    raw : dict
        What the file says, as it stands in the record.
    params : dict
        The settings, with ``data.path`` below the given folder.
    repeats : list of dict
        Further ``{methods, seeds}`` beside the grid.
    """

    name: str
    raw: dict[str, Any]
    params: dict[str, Any]
    repeats: list[dict[str, Any]]

    @classmethod
    def read(cls, name: str, data: Path | None) -> Protocol:
        """Read a protocol file."""
        merged = _merged(name)
        params = {k: v for k, v in merged.items() if k not in ("extends", "repeats")}
        return cls(name, merged, _with_data_folder(params, data), merged.get("repeats", []))

    def settings(self) -> Settings:
        """Check and build the settings."""
        return build_settings(self.params)

    def runs(self) -> Iterator[tuple[str, str]]:
        """Yield ``(setting, method)`` of the grid, then of the repeats, each once."""
        found = list(runs_of(self.settings()))
        for repeat in self.repeats:
            changed = {"seeds": repeat["seeds"], "methods": repeat["methods"], "controls": []}
            found += runs_of(build_settings(merge(self.params, {"grid": changed})))
        yield from dict.fromkeys(found)

    def shared(self) -> dict[str, Any]:
        """Return the settings that all runs depend on."""
        return {k: v for k, v in self.raw.items() if k not in ("grid", "methods", "repeats")}

    def digest(self, method: str) -> str:
        """Digest of all settings that a run of a method depends on, its defaults included."""
        own = asdict(self.settings().methods.of(method))
        return digest_of({**self.shared(), "method": own})


def _merged(name: str) -> dict[str, Any]:
    """Lay a protocol over the one that it extends, which may extend another."""
    raw: dict[str, Any] = yaml.safe_load((HERE / "protocols" / f"{name}.yaml").read_text())
    return merge(_merged(raw["extends"]), raw) if "extends" in raw else raw


def main() -> None:
    """Parse the command line and run what is missing of every protocol named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("protocols", nargs="+", help="names of files in benchmarks/protocols")
    parser.add_argument("--data", type=Path, help="folder that data.path is relative to")
    parser.add_argument("--work", type=Path, help="scratch folder (default results/benchmarks)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--only", nargs="*", help="methods to run (default: all of the protocol)")
    parser.add_argument("--settings", nargs="*", help="settings to run, as in symmetric-0.4-seed0")
    parser.add_argument("--again", action="store_true", help="run what is on record, too")
    options = parser.parse_args()
    for name in options.protocols:
        run_protocol(Protocol.read(name, options.data), options)


def run_protocol(protocol: Protocol, options: argparse.Namespace) -> None:
    """Run what is missing of one protocol; the record is written after every run."""
    below = (options.work or Path("results/benchmarks")) / protocol.name
    work = scratch_folder(below, protocol.shared())
    record = _open_record(protocol)
    due = [run for run in protocol.runs() if _is_due(run, record, protocol, options)]
    print(f"{protocol.name}: {len(due)} runs to make", file=sys.stderr, flush=True)
    if not due:
        return
    environment = describe_environment(options.device)  # of the code as it is loaded now
    settings = protocol.settings()
    prepare(work, settings)
    for setting in dict.fromkeys(setting for setting, _ in due):
        inject(work, setting, settings)
    for name in dict.fromkeys(n for setting, m in due for n in side_inputs(m, setting).items()):
        make_side_inputs(work, *name, protocol.params, options.device)
    with ProcessPoolExecutor(options.jobs) as pool:
        pending = [pool.submit(_run_one, work, protocol, options.device, run) for run in due]
        for done in as_completed(pending):
            run, result = done.result()
            record["runs"][run] = {**result, "environment": environment}
            record["runs"] = dict(sorted(record["runs"].items()))
            write_json(HERE / "results" / f"{protocol.name}.json", record)


def _open_record(protocol: Protocol) -> dict[str, Any]:
    path = HERE / "results" / f"{protocol.name}.json"
    known = read_json(path)["runs"] if path.exists() else {}
    return {
        "protocol": protocol.name,
        "command": f"python benchmarks/run_protocol.py {protocol.name}",
        "params": protocol.raw,
        "runs": known,
    }


def _is_due(
    run: tuple[str, str], record: dict[str, Any], protocol: Protocol, options: argparse.Namespace
) -> bool:
    setting, method = run
    if (options.only and method not in options.only) or (
        options.settings and setting not in options.settings
    ):
        return False
    known = record["runs"].get(f"{setting}/{method}")
    return options.again or known is None or known.get("digest") != protocol.digest(method)


def _run_one(
    work: Path, protocol: Protocol, device: str, run: tuple[str, str]
) -> tuple[str, dict[str, Any]]:
    setting, method = run
    started = time.time()
    seconds, metrics = train_and_evaluate(
        work, protocol.settings(), setting, method, parse_setting(setting).seed, device
    )
    name = f"{setting}/{method}"
    print(f"{name}: done in {time.time() - started:.0f} s", file=sys.stderr, flush=True)
    return name, {
        **seconds,
        "digest": protocol.digest(method),
        "metrics": metrics,
    }


def _with_data_folder(params: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    data = dict(params["data"])
    if data.get("path"):
        root = folder or Path(os.environ.get("FERCLEAN_SHARED_DATA", "../shared/data"))
        data["path"] = str(root / data["path"])
    return {**params, "data": data}


if __name__ == "__main__":
    main()
