"""The section about what the runs cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ferclean.report.figures import point_figure
from ferclean.report.run_section import role_of, slug

_ACCURACY = "test_accuracy_last_epoch"
_SETTING = ["noise", "rate"]


def cost_section(
    costs: pd.DataFrame, seeds: pd.DataFrame, order: Sequence[str]
) -> dict[str, Any] | None:
    """Put seconds beside accuracy.

    Parameters
    ----------
    costs : pandas.DataFrame
        The summary's ``timing.csv``.
    seeds : pandas.DataFrame
        The summary's ``seeds.csv``.
    order : sequence of str
        All methods of the page, for their looks.

    Returns
    -------
    dict or None
        ``rows`` of the table and ``figures``; nothing where no time is on record.
    """
    if not (costs["training_seconds"] > 0).any():
        return None
    table = cost_over_seeds(costs)
    keys = [*_SETTING, "method"]
    accuracy = seeds[[*keys, f"{_ACCURACY}_mean", f"{_ACCURACY}_sd"]]
    both = table.merge(accuracy, on=keys, how="inner", validate="one_to_one")
    return {
        "rows": both.to_dict("records"),
        "figures": [
            _figure(group, order)
            for _, group in both.dropna(subset=f"{_ACCURACY}_mean").groupby(_SETTING, sort=False)
        ],
    }


def _figure(group: pd.DataFrame, order: Sequence[str]) -> str:
    minutes = group[["training_seconds_mean", "training_seconds_sd"]].fillna(0.0) / 60
    percent = 100 * group[[f"{_ACCURACY}_mean", f"{_ACCURACY}_sd"]].fillna(0.0)
    values = zip(group["method"], minutes.to_numpy(), percent.to_numpy(), strict=True)
    points = {str(method): (x[0], y[0], x[1], y[1]) for method, x, y in values}
    noise, rate = group[_SETTING].iloc[0]
    name = f"{noise} {rate:g}"
    return point_figure(
        points,
        x_label="minutes of training",
        y_label="test accuracy, last epoch (%)",
        title=f"Accuracy by cost, {name}",
        name=f"cost-{slug(name)}",
        order=order,
    )


def cost_over_seeds(costs: pd.DataFrame) -> pd.DataFrame:
    """Mean cost of every method and noise over the seeds, beside the control's.

    Parameters
    ----------
    costs : pandas.DataFrame
        The summary's ``timing.csv``.

    Returns
    -------
    pandas.DataFrame
        ``noise``, ``rate``, ``method``, ``seeds``, ``training_seconds_mean``,
        ``training_seconds_sd`` (of a sample; missing for a single seed), ``images_per_second``
        (mean) and ``times_control``, the mean seconds by those of the cross-entropy control with
        the same noise; missing without it.
    """
    table = costs.groupby([*_SETTING, "method"], sort=False).agg(
        seeds=("seed", "nunique"),
        training_seconds_mean=("training_seconds", "mean"),
        training_seconds_sd=("training_seconds", "std"),
        images_per_second=("images_per_second", "mean"),
    )
    frame = table.reset_index()
    control = frame[frame["method"].map(role_of) == "control"].set_index(_SETTING)
    seconds = control["training_seconds_mean"].rename("control")
    beside = frame.join(seconds, on=_SETTING)["control"]
    return frame.assign(times_control=frame["training_seconds_mean"] / beside.where(beside > 0))
