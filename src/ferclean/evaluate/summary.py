"""Many runs side by side: one row a run, the share of the gap closed, means over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ferclean.config.grid import CEILING, CONTROL
from ferclean.config.run_names import parse_run

# What the summary shows of a run's metrics, in this order.
KEY_METRICS = (
    "test_accuracy_last_epoch",
    "test_accuracy_mean_of_last_five",
    "test_accuracy_validation_selected",
    "test_accuracy_best_on_test_for_comparison_only",
    "test_mean_class_accuracy_last_epoch",
    "test_macro_f1_last_epoch",
    "test_ece_last_epoch",
    "label_accuracy_observed",
    "label_accuracy_final",
    "detection_auroc",
    "detection_average_precision",
    "detection_precision",
    "detection_recall",
    "detection_f1",
    "detection_oracle_f1",
    "noise_rate_observed",
    "noise_rate_estimated",
    "divergence_js_observed",
    "divergence_js_final",
    "two_label_agreement_final",
    "test_two_label_agreement",
    "votes_share_of_final_label",
    "test_uncertainty_prediction_votes_spearman",
    "test_uncertainty_aleatoric_votes_spearman",
    "test_uncertainty_prediction_truth_spearman",
    "test_uncertainty_aleatoric_truth_spearman",
    "train_rows",
    "test_rows",
)
_GAP_FROM = "test_accuracy_last_epoch"
# Of the accuracy between control and ceiling; smaller gaps are ties, and a share of them noise.
SMALLEST_GAP = 0.01


def results_table(metrics: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """One row a run, sorted by noise, rate, seed, then control, ceiling, methods by name.

    Parameters
    ----------
    metrics : mapping
        Run name to the metrics of the evaluate step.

    Returns
    -------
    pandas.DataFrame
        ``run``, ``noise``, ``rate``, ``seed``, ``method``, :data:`KEY_METRICS` (missing where
        a run has none) and ``gap_closed``, the share of the last-epoch test accuracy between
        the cross-entropy control and the oracle-clean control of the same setting that the
        method gains; missing without both controls or without a gap between them.
    """
    rows = [
        {"run": run, **naming(run), **{key: values.get(key) for key in KEY_METRICS}}
        for run, values in metrics.items()
    ]
    columns = ["run", "noise", "rate", "seed", "method", *KEY_METRICS]
    frame = pd.DataFrame(rows, columns=columns)
    for key in KEY_METRICS:
        frame[key] = pd.to_numeric(frame[key])
    frame["gap_closed"] = [_gap_closed(frame, row) for _, row in frame.iterrows()]
    rank = frame["method"].map({CONTROL: 0, CEILING: 1}).fillna(2)
    frame = frame.assign(_rank=rank).sort_values(["noise", "rate", "seed", "_rank", "method"])
    return frame.drop(columns="_rank").reset_index(drop=True)


def naming(run: str) -> dict[str, Any]:
    """Return a run's noise, rate, seed and method, as tables of runs have them."""
    name = parse_run(run)
    return {"noise": name.noise, "rate": name.rate, "seed": name.seed, "method": name.method}


def _gap_closed(frame: pd.DataFrame, row: pd.Series) -> float | None:
    setting = frame[
        (frame["noise"] == row["noise"])
        & (frame["rate"] == row["rate"])
        & (frame["seed"] == row["seed"])
    ].set_index("method")[_GAP_FROM]
    if row["method"] in (CONTROL, CEILING) or not {CONTROL, CEILING} <= set(setting.index):
        return None
    return _share_of_gap(row[_GAP_FROM], setting[CONTROL], setting[CEILING])


def _share_of_gap(accuracy: float, control: float, ceiling: float) -> float | None:
    # Without a gap worth the name (a tie, a control above its ceiling) a share means nothing.
    gap = float(ceiling - control)
    return float((accuracy - control) / gap) if gap >= SMALLEST_GAP else None


def mean_over_seeds(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation (of a sample) of every metric over the seeds.

    Returns
    -------
    pandas.DataFrame
        ``noise``, ``rate``, ``method``, ``seeds`` and ``<metric>_mean``, ``<metric>_sd``; the
        deviation is missing for a single seed. ``gap_closed_mean`` is the share of the means
        (a mean of shares would be ruled by the seed with the smallest gap) over the
        ``gap_closed_seeds`` seeds that have method and both controls.
    """
    keys, metrics = ["noise", "rate", "method"], [*KEY_METRICS, "gap_closed"]
    groups = results.groupby(keys, sort=False)
    table = groups.agg(
        seeds=("seed", "nunique"),
        **{f"{name}_mean": (name, "mean") for name in metrics},
        **{f"{name}_sd": (name, "std") for name in metrics},
    )
    ordered = ["seeds", *(f"{name}_{kind}" for name in metrics for kind in ("mean", "sd"))]
    table = table[ordered].reset_index().drop(columns="gap_closed_mean")
    return table.join(_mean_gaps(results), on=keys)


def _mean_gaps(results: pd.DataFrame) -> pd.DataFrame:
    """Return ``gap_closed_mean`` and ``gap_closed_seeds`` by noise, rate and method."""
    by_seed = results.pivot_table(
        index=["noise", "rate", "seed"], columns="method", values=_GAP_FROM, dropna=False
    )
    found: dict[tuple[str, float, str], tuple[float | None, int]] = {}
    for noise, rate, method in results[["noise", "rate", "method"]].drop_duplicates().to_numpy():
        whole = [CONTROL, CEILING, method]
        if method in (CONTROL, CEILING) or not set(whole) <= set(by_seed.columns):
            found[noise, rate, method] = (None, 0)
            continue
        complete = by_seed.loc[(noise, rate), whole].dropna()
        control, ceiling, accuracy = complete.mean()
        found[noise, rate, method] = (_share_of_gap(accuracy, control, ceiling), len(complete))
    index = pd.MultiIndex.from_tuples(list(found), names=["noise", "rate", "method"])
    columns = ["gap_closed_mean", "gap_closed_seeds"]
    return pd.DataFrame(list(found.values()), index=index, columns=columns)
