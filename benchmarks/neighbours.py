"""P4, neighbours: seconds, memory and recall of the index against comparing all pairs.

    python benchmarks/neighbours.py
    python benchmarks/neighbours.py --rows 10000 100000 --counts 10

Features lie in 300 groups, each spread along 16 directions, as those of a trained network do; of
features without any structure no index finds the nearest in a few cells. Each size runs in a
process of its own; memory is what is taken beyond the features. Recall is the share of the true
neighbours of 500 rows that were found. Comparing all pairs is measured up to --compared rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from environment import describe_environment
from ferclean.partition.neighbour_index import indexed_neighbours
from ferclean.partition.neighbour_search import comparable, exact_neighbours
from ferclean.tables.atomic import write_json

_RECORD = Path(__file__).parent / "results" / "p4_neighbours.json"
_GROUPS, _DIRECTIONS, _JUDGED = 300, 16, 500


def main() -> None:
    """Measure every size and count, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 200])
    parser.add_argument("--compared", type=int, default=30_000)
    parser.add_argument("--inner", type=int, nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inner:
        print(json.dumps(_measure(*chosen.inner)))
        return
    sizes = [
        _measure_alone(rows, chosen.width, count, chosen.compared)
        for count in chosen.counts
        for rows in chosen.rows
    ]
    record = {
        "protocol": "p4_neighbours",
        "command": "python benchmarks/neighbours.py",
        "width": chosen.width,
        "environment": describe_environment("cpu"),
        "sizes": sizes,
    }
    write_json(_RECORD, record)


def grouped_features(rows: int, width: int) -> np.ndarray:
    """Draw ``(rows, width)`` float32 features in groups, a chunk at a time."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((_GROUPS, width), dtype=np.float32)
    spread = random.standard_normal((_GROUPS, _DIRECTIONS, width), dtype=np.float32) / 4
    features = np.empty((rows, width), dtype=np.float32)
    for start in range(0, rows, 20_000):
        part = features[start : start + 20_000]
        group = random.integers(_GROUPS, size=len(part))
        for number in range(_GROUPS):
            own = np.flatnonzero(group == number)
            along = random.standard_normal((len(own), _DIRECTIONS), dtype=np.float32)
            part[own] = centres[number] + along @ spread[number]
        part += 0.1 * random.standard_normal(part.shape, dtype=np.float32)
    return features


def _measure_alone(rows: int, width: int, count: int, compared: int) -> dict[str, Any]:
    """Measure in a process of its own."""
    inner = [str(number) for number in (rows, width, count, compared)]
    command = [sys.executable, __file__, "--inner", *inner]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{rows} rows failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    print(found, flush=True)
    return found


def _measure(rows: int, width: int, count: int, compared: int) -> dict[str, Any]:
    features = grouped_features(rows, width)
    indexed_neighbours(features[:2000], count, metric="cosine")  # imports and first allocations
    before, start = _peak_mebibytes(), time.perf_counter()
    near, _ = indexed_neighbours(features, count, metric="cosine")
    seconds, mebibytes = time.perf_counter() - start, _peak_mebibytes() - before
    judged = np.random.default_rng(1).choice(rows, _JUDGED, replace=False)
    points = comparable(features, "cosine")
    start = time.perf_counter()
    if rows <= compared:
        true = exact_neighbours(points, np.arange(rows), count, "cosine")[0][judged]
    else:
        true = exact_neighbours(points, judged, count, "cosine")[0]
    comparing = time.perf_counter() - start
    pairs = zip(near[judged], true, strict=True)
    return {
        "rows": rows,
        "neighbours": count,
        "seconds": round(seconds, 1),
        "mebibytes": round(mebibytes),
        "recall": round(float(np.mean([len(np.intersect1d(*p)) / count for p in pairs])), 4),
        "seconds_comparing_all": round(comparing, 1) if rows <= compared else None,
        "seconds_comparing_all_expected": round(comparing * rows / min(rows, _JUDGED), 1)
        if rows > compared
        else None,
    }


def _peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
