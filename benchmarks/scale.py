r"""P4, second half: seconds and memory of partition, prototypes and graphs up to a million rows.

    python benchmarks/scale.py
    python benchmarks/scale.py --rows 10000 100000 1000000 --width 512 --classes 7

Each part runs in a process of its own on random features. Memory is what the part takes beyond
its inputs: the process's peak less what it held before. Parts that would take too long are measured
up to --at-most rows only: exact neighbours, which grow with the square of the rows, and with many
classes the graphs, whose transport is then iterated:

    python benchmarks/scale.py --classes 100 \
        --at-most exact_neighbours=10000 class_relation_graphs=100000
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from environment import describe_environment, forget_peak, measured_alone, peak_mebibytes
from ferclean.tables.atomic import write_json

HERE = Path(__file__).parent
# Draws what else the part reads, and returns the work to be measured.
Part = Callable[[np.ndarray, np.ndarray, int], Callable[[], object]]


def gaussian_mixture(
    features: np.ndarray, observed: np.ndarray, classes: int
) -> Callable[[], object]:
    """Split losses as DivideMix and SMR do."""
    from ferclean.partition.mixtures import fit_two_gaussians

    losses = np.random.default_rng(0).beta(1, 3, len(observed))
    return lambda: fit_two_gaussians(losses, seed=0)


def beta_mixture(features: np.ndarray, observed: np.ndarray, classes: int) -> Callable[[], object]:
    """Split similarities as ReSup does."""
    from ferclean.partition.beta_mixture import fit_two_betas

    similarities = np.random.default_rng(0).beta(3, 1, len(observed))
    return lambda: fit_two_betas(similarities)


def divergence_and_selection(
    features: np.ndarray, observed: np.ndarray, classes: int
) -> Callable[[], object]:
    """Select class by class as UNICON does."""
    from ferclean.partition.jsd import divergence_from_label
    from ferclean.partition.selection import select_uniformly

    probabilities = random_distributions(len(observed), classes)

    def work() -> object:
        divergence = divergence_from_label(probabilities, observed)
        return select_uniformly(divergence, observed, classes=classes, limit=0.7, slack=5.0)

    return work


def multi_prototypes(
    features: np.ndarray, observed: np.ndarray, classes: int
) -> Callable[[], object]:
    """Choose prototypes and compare every row with them as SMP does."""
    from ferclean.partition.prototypes import class_prototypes, class_similarity

    def work() -> object:
        prototypes = class_prototypes(
            features,
            observed,
            classes=classes,
            samples=1280,
            count=8,
            rule="density_peaks",
            quantile=0.4,
            limit=0.95,
            seed=0,
        )
        return class_similarity(features, prototypes)

    return work


def class_relation_graphs(
    features: np.ndarray, observed: np.ndarray, classes: int
) -> Callable[[], object]:
    """Graphs, transport, confidence, prototypes and amended distributions as SCE-ALD does."""
    from ferclean.partition.class_relations import (
        confidence,
        cosine_graph,
        prototype_distributions,
        weighted_prototypes,
    )
    from ferclean.partition.transport import ground_cost, relation_distance

    random = np.random.default_rng(0)
    semantic = random.uniform(-1, 1, (len(observed), classes))
    cost = ground_cost(random.normal(size=(classes, 16)))

    def work() -> object:
        prototypes, _ = weighted_prototypes(features, observed, np.ones(len(observed)), classes)
        task = cosine_graph(features, prototypes)
        distance = relation_distance(semantic, task, reading="semantic", cost=cost, temperature=0.1)
        return prototype_distributions(
            features,
            observed,
            confidence(distance, 1.0),
            classes,
            distance="l2norm",
            exponent=1.0,
            leave_one_out=False,
        )

    return work


def exact_neighbours(
    features: np.ndarray, observed: np.ndarray, classes: int
) -> Callable[[], object]:
    """Let 200 neighbours vote as SSR does."""
    from ferclean.partition.neighbours import class_votes, nearest_neighbours, neighbour_weights

    def work() -> object:
        found = nearest_neighbours(features, 200, metric="cosine")
        weights = neighbour_weights(found.distance, "cosine")
        return class_votes(found.index, weights, observed, classes=classes, balanced=True)

    return work


def label_audit(features: np.ndarray, observed: np.ndarray, classes: int) -> Callable[[], object]:
    """Judge every label by its class probabilities, as `ferclean audit` does."""
    from ferclean.audit.auditor import audit_labels

    probabilities = random_distributions(len(observed), classes)
    return lambda: audit_labels(probabilities, observed)


def label_tables(features: np.ndarray, observed: np.ndarray, classes: int) -> Callable[[], object]:
    """Check, sort, write and read back a round's label table."""
    import pandas as pd

    from ferclean.tables.labels import (
        labels_from_codes,
        make_table,
        read_label_table,
        write_label_table,
    )

    names = [f"class_{number}" for number in range(classes)]
    random = np.random.default_rng(0)
    label = labels_from_codes(observed, names)
    frame = pd.DataFrame(
        {
            "sample_id": [f"{row:08d}" for row in random.permutation(len(observed))],
            "path": [f"photos/{row:08d}.jpg" for row in range(len(observed))],
            "split": "train",
            "given": label,
            "observed": label,
            "label": label,
            "clean_probability": random.random(len(observed), dtype=np.float32),
        }
    )
    distribution = random_distributions(len(observed), classes)

    def work() -> object:
        table = make_table(frame, names, "scale").with_columns(
            **{f"p_{name}": distribution[:, k] for k, name in enumerate(names)}
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.parquet"
            write_label_table(table, path)
            return read_label_table(path)

    return work


def random_distributions(rows: int, classes: int) -> np.ndarray:
    """Draw a distribution a row, ``(rows, classes)`` float32."""
    return np.random.default_rng(0).dirichlet(np.ones(classes), rows).astype(np.float32)


PARTS: dict[str, Part] = {
    part.__name__: part
    for part in (
        gaussian_mixture,
        beta_mixture,
        divergence_and_selection,
        multi_prototypes,
        class_relation_graphs,
        label_audit,
        label_tables,
        exact_neighbours,
    )
}


def measure_here(name: str, rows: int, width: int, classes: int) -> dict[str, float]:
    """Run one part in this process; return its seconds and its memory beyond the inputs."""
    random = np.random.default_rng(0)
    observed = random.integers(classes, size=rows)
    features = random.standard_normal((rows, width), dtype=np.float32)
    PARTS[name](features[:2000], observed[:2000], classes)()  # imports and first allocations
    work = PARTS[name](features, observed, classes)
    forget_peak()
    before, start = peak_mebibytes(), time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 3), "mebibytes": round(peak_mebibytes() - before, 1)}


def measure(name: str, rows: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run one part in a process of its own."""
    inner = [name, str(rows), str(options.width), str(options.classes)]
    return measured_alone(__file__, "--inner", *inner)


def main() -> None:
    """Measure every part at every size, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--classes", type=int, default=7)
    parser.add_argument(
        "--at-most", nargs="+", default=["exact_neighbours=10000"], metavar="PART=ROWS"
    )
    parser.add_argument("--inner", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inner:
        name, *numbers = options.inner
        print(json.dumps(measure_here(name, *map(int, numbers))))
        return
    at_most = {part: int(rows) for part, rows in (given.split("=") for given in options.at_most)}
    if unknown := at_most.keys() - PARTS.keys():
        parser.error(f"--at-most names no part: {', '.join(sorted(unknown))}")
    parts: dict[str, dict[str, Any]] = {}
    for name in PARTS:
        sizes = [rows for rows in options.rows if rows <= at_most.get(name, rows)]
        parts[name] = {str(rows): measure(name, rows, options) for rows in sizes}
    name = "p4_scale" if options.classes == 7 else f"p4_scale_{options.classes}"
    record = {
        "protocol": name,
        "command": " ".join(["python benchmarks/scale.py", *sys.argv[1:]]),
        "width": options.width,
        "classes": options.classes,
        "environment": describe_environment("cpu"),
        "parts": parts,
    }
    write_json(HERE / "results" / f"{name}.json", record)


if __name__ == "__main__":
    main()
