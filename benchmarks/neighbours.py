"""P4, neighbours: seconds, memory and recall of the index against comparing all pairs.

    python benchmarks/neighbours.py

Features lie in 7 groups, as classes, or in 300, as people, and spread within a group along 32
directions. Each case runs in a process of its own; memory is what is taken beyond the features.
Recall is the share of the true neighbours of 500 rows that were found, distance excess how much
further away than the true ones those found are on average; what comparing all pairs would take is
expected from these rows.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from environment import describe_environment, forget_peak, measured_alone, peak_mebibytes
from ferclean.partition.neighbour_index import indexed_neighbours
from ferclean.partition.neighbour_search import comparable, exact_neighbours
from ferclean.tables.atomic import write_json

_RECORD = Path(__file__).parent / "results" / "p4_neighbours.json"
_DIRECTIONS, _SPREAD, _JUDGED = 32, 0.5, 500
# Rows, groups, neighbours.
_CASES = ((100_000, 7, 10), (100_000, 300, 10), (100_000, 7, 200), (1_000_000, 7, 10))


def main() -> None:
    """Measure every case, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--inner", type=int, nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inner:
        print(json.dumps(_measure(*chosen.inner)))
        return
    cases = [_measure_alone(*case, chosen.width) for case in _CASES]
    record = {
        "protocol": "p4_neighbours",
        "command": "python benchmarks/neighbours.py",
        "width": chosen.width,
        "environment": describe_environment("cpu"),
        "cases": cases,
    }
    write_json(_RECORD, record)


def grouped_features(rows: int, groups: int, width: int) -> np.ndarray:
    """Draw ``(rows, width)`` float32 features in groups, a chunk at a time."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((groups, width), dtype=np.float32)
    along = random.standard_normal((groups, _DIRECTIONS, width), dtype=np.float32)
    along *= np.float32(_SPREAD / np.sqrt(_DIRECTIONS))
    features = np.empty((rows, width), dtype=np.float32)
    for start in range(0, rows, 20_000):
        part = features[start : start + 20_000]
        group = random.integers(groups, size=len(part))
        for number in range(groups):
            own = np.flatnonzero(group == number)
            place = random.standard_normal((len(own), _DIRECTIONS), dtype=np.float32)
            part[own] = centres[number] + place @ along[number]
        part += np.float32(0.01) * random.standard_normal(part.shape, dtype=np.float32)
    return features


def _measure_alone(rows: int, groups: int, count: int, width: int) -> dict[str, Any]:
    """Measure in a process of its own."""
    inner = [str(number) for number in (rows, groups, count, width)]
    return measured_alone(__file__, "--inner", *inner)


def _measure(rows: int, groups: int, count: int, width: int) -> dict[str, Any]:
    features = grouped_features(rows, groups, width)
    indexed_neighbours(features[:500], 1, metric="cosine")  # imports and first allocations
    forget_peak()
    before, start = peak_mebibytes(), time.perf_counter()
    near, found = indexed_neighbours(features, count, metric="cosine")
    seconds, mebibytes = time.perf_counter() - start, peak_mebibytes() - before
    judged = np.random.default_rng(1).choice(rows, _JUDGED, replace=False)
    points = comparable(features, "cosine")
    start = time.perf_counter()
    true, least = exact_neighbours(points, judged, count, "cosine")
    comparing = (time.perf_counter() - start) * rows / _JUDGED
    pairs = zip(near[judged], true, strict=True)
    return {
        "rows": rows,
        "groups": groups,
        "neighbours": count,
        "seconds": round(seconds, 1),
        "mebibytes": round(mebibytes),
        "recall": round(float(np.mean([len(np.intersect1d(*p)) / count for p in pairs])), 4),
        "distance_excess": round(float(found[judged].mean() / least.mean() - 1.0), 4),
        "seconds_comparing_all": round(comparing),
    }


if __name__ == "__main__":
    main()
