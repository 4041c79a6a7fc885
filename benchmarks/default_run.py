"""P5: record a finished default run: wall seconds by rule, and its metrics.

make clean setup
/usr/bin/time -f %e -o wall.txt make run
python benchmarks/default_run.py --wall $(cat wall.txt)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import yaml

from environment import describe_environment
from ferclean.tables.atomic import read_json, write_json

HERE = Path(__file__).parent


def main() -> None:
    """Collect Snakemake's benchmark files and the summary into one record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wall", type=float, required=True, help="seconds of the whole call")
    parser.add_argument("--root", type=Path, default=HERE.parent, help="checkout that was run")
    options = parser.parse_args()
    logs = options.root / "results" / "logs"
    seconds: dict[str, list[float]] = {}
    for file in sorted(logs.rglob("*.tsv")):
        rule = file.relative_to(logs).parts[0].removesuffix(".tsv")
        seconds.setdefault(rule, []).append(float(pd.read_csv(file, sep="\t")["s"].iloc[0]))
    record = {
        "protocol": "p5",
        "command": "make run",
        "params": yaml.safe_load((options.root / "params.yaml").read_text(encoding="utf-8")),
        "environment": describe_environment("cpu"),
        "wall_seconds": options.wall,
        "seconds_by_rule": {
            rule: {"jobs": len(values), "sum": round(sum(values), 1), "longest": max(values)}
            for rule, values in seconds.items()
        },
        "runs": read_json(options.root / "results" / "summary" / "metrics.json"),
    }
    write_json(HERE / "results" / "p5.json", record)


if __name__ == "__main__":
    main()
