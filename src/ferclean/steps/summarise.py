"""Step ``summarise``: all runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ferclean.config.run_names import checked_runs
from ferclean.evaluate.cost import TIMING_COLUMNS, cost_table
from ferclean.evaluate.summary import KEY_METRICS, mean_over_seeds, results_table
from ferclean.progress import say
from ferclean.tables.atomic import read_json, write_csv, write_json
from ferclean.tables.csv_files import read_csv


def summarise(*, evaluations: Path, run: Sequence[str], output: Path) -> None:
    """Collect the metrics of all runs.

    Parameters
    ----------
    evaluations : Path
        Folder that holds ``<setting>/<method>/metrics.json``, ``epochs.csv`` and ``timing.csv``.
    run : sequence of str
        Runs as ``<setting>/<method>``.
    output : Path
        Folder for ``metrics.json`` (run to key metrics), ``results.csv`` (a row a run),
        ``seeds.csv`` (mean and deviation over seeds), ``curves.csv`` (run, epoch, accuracies) and
        ``timing.csv`` (what each run cost, by the clock).

    Raises
    ------
    FercleanError
        If no run is named, a name is malformed or repeats, or a file is missing.
    """
    runs = checked_runs(run)
    metrics = {name: read_json(evaluations / name / "metrics.json") for name in runs}
    results = results_table(metrics)
    nested = {
        row["run"]: {
            key: None if pd.isna(row[key]) else np.float64(row[key]).item()
            for key in (*KEY_METRICS, "gap_closed")
        }
        for _, row in results.iterrows()
    }
    curves = pd.concat(
        [_read_curve(evaluations / name / "epochs.csv", name) for name in results["run"]],
        ignore_index=True,
    )
    timings = {
        name: read_csv(evaluations / name / "timing.csv", required=TIMING_COLUMNS)
        for name in results["run"]
    }
    write_json(output / "metrics.json", nested)
    tables = {
        "results": results,
        "seeds": mean_over_seeds(results),
        "curves": curves,
        "timing": cost_table(timings),
    }
    for name, frame in tables.items():
        write_csv(output / f"{name}.csv", frame, float_format="%.6g")
    for name, accuracy in results[["run", "test_accuracy_last_epoch"]].itertuples(index=False):
        told = "unknown" if pd.isna(accuracy) else f"{accuracy:.3f} (last epoch)"
        say(f"{name}: test accuracy {told}")


def _read_curve(path: Path, run: str) -> pd.DataFrame:
    """Read what ``curves.csv`` takes of a run's ``epochs.csv``."""
    wanted = ["epoch", "round", "test_accuracy", "val_accuracy_observed"]
    epochs = read_csv(path, required=wanted)
    return epochs[wanted].assign(run=run)[["run", *wanted]]
