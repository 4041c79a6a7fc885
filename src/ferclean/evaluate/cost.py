"""What runs cost: seconds of training, and how many pictures a second their networks saw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ferclean.evaluate.summary import naming

# What a training step writes of every epoch. The clock counts looks at the rows and mixtures, too.
TIMING_COLUMNS = ("epoch", "seconds", "images_per_second")


def cost_table(timings: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a run.

    Parameters
    ----------
    timings : mapping
        Run name to a table with the columns :data:`TIMING_COLUMNS`, a row an epoch.

    Returns
    -------
    pandas.DataFrame
        ``run``, ``noise``, ``rate``, ``seed``, ``method``, ``epochs``, ``training_seconds`` (sum
        over the epochs) and ``images_per_second`` (all pictures that the networks were trained
        on, by all seconds; missing where no time is on record).
    """
    return pd.DataFrame([_cost_of(run, timing) for run, timing in timings.items()])


def _cost_of(run: str, timing: pd.DataFrame) -> dict[str, object]:
    seconds = timing["seconds"].to_numpy(dtype=np.float64)
    images = float(seconds @ timing["images_per_second"].to_numpy(dtype=np.float64))
    total = float(seconds.sum())
    return {
        "run": run,
        **naming(run),
        "epochs": len(timing),
        "training_seconds": total,
        "images_per_second": images / total if total > 0 else np.nan,
    }
