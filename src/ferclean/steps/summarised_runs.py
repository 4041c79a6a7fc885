"""The runs that a page is about, as the summary has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ferclean.config.run_names import RunName, checked_runs
from ferclean.errors import FercleanError
from ferclean.tables.csv_files import read_csv


def summarised_runs(summary: Path, run: Sequence[str]) -> tuple[dict[str, RunName], pd.DataFrame]:
    """Look named runs up in the summary's ``results.csv``.

    Returns
    -------
    names : dict
        Name to its parts, in the order given.
    results : pandas.DataFrame
        Their rows, in the summary's order.

    Raises
    ------
    FercleanError
        If a name is malformed or repeats, a run is not in the summary, or the file is none.
    """
    names, path = checked_runs(run), summary / "results.csv"
    results = read_csv(path)
    absent = [name for name in names if name not in set(results["run"])]
    if absent:
        raise FercleanError(f"{path} lacks the run {absent[0]!r}; summarise it")
    return names, results[results["run"].isin(names)].reset_index(drop=True)
