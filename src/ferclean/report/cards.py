"""Cards: what a person should know of a data set and of a model before using them, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ferclean.report.heat_maps import pair_matrix
from ferclean.report.rendering import load_template
from ferclean.tables.labels import SPLITS

# Metric of the run, words; all are shares in [0, 1].
RESULTS = (
    ("test_accuracy_last_epoch", "Test accuracy, last epoch"),
    ("test_accuracy_mean_of_last_five", "Test accuracy, mean of the last five epochs"),
    ("test_mean_class_accuracy_last_epoch", "Mean accuracy over classes"),
    ("test_macro_f1_last_epoch", "Macro F1"),
    ("test_ece_last_epoch", "Expected calibration error"),
)
LABELS = (
    ("label_accuracy_observed", "Training labels right before the method"),
    ("label_accuracy_final", "Training labels right after it"),
    ("noise_rate_observed", "Wrong training labels"),
    ("noise_rate_estimated", "Training labels that the method calls wrong"),
)


@dataclass(frozen=True)
class DataFacts:
    """What a data card tells.

    Attributes
    ----------
    ingest, align : dict
        The steps' ``summary.json``.
    noise : dict
        Setting to its ``noise.json``.
    estimates : pandas.DataFrame
        ``run``, ``noise_rate_observed``, ``noise_rate_estimated`` and ``detection_auroc`` of every
        run.
    expressions : bool
        Whether its classes are expressions of faces.
    origin, terms : str
        Where the set is from and under which terms, as its publishers state them; empty where
        that is not known.
    """

    ingest: dict[str, Any]
    align: dict[str, Any]
    noise: dict[str, dict[str, Any]]
    estimates: pd.DataFrame
    expressions: bool
    origin: str
    terms: str


@dataclass(frozen=True)
class ModelFacts:
    """What a model card tells.

    Attributes
    ----------
    run, setting, method : str
        ``run`` is ``<setting>/<method>``.
    version : str
        Of ferclean.
    settings : dict
        Sections ``align``, ``model``, ``training`` and the method's own, as in params.yaml.
    metrics : dict
        The run's ``metrics.json``.
    confusion : pandas.DataFrame
        The run's ``confusion.csv``.
    seeds : dict
        The row of ``seeds.csv`` of this method and noise.
    noise : dict
        ``noise.json`` of the setting.
    data : DataFacts
        Of the data set.
    """

    run: str
    setting: str
    method: str
    version: str
    settings: dict[str, Any]
    metrics: dict[str, Any]
    confusion: pd.DataFrame
    seeds: dict[str, Any]
    noise: dict[str, Any]
    data: DataFacts


def data_card(facts: DataFacts) -> str:
    """Write the card of a data set."""
    splits = facts.ingest["splits"]
    classes = list(splits["train"])
    refused = facts.ingest["quarantined"] + facts.align["quarantined"]
    return _render(
        "data_card.md",
        data=facts,
        splits=SPLITS,
        classes=[(name, [splits[split][name] for split in SPLITS]) for name in classes],
        totals=[sum(splits[split].values()) for split in SPLITS],
        refused=refused,
        reasons={**facts.ingest["quarantined_by_reason"], **facts.align["reasons"]},
        estimates=facts.estimates.to_dict("records"),
        expressions=facts.expressions,
        people=facts.ingest["source"] != "rendered",
    )


def model_card(facts: ModelFacts) -> str:
    """Write the card of a trained model."""
    rows = per_class(facts.confusion, facts.noise["classes"])
    worst = min((row for row in rows if row["rows"]), key=lambda row: row["recall"], default=None)
    return _render(
        "model_card.md",
        model=facts,
        classes=facts.noise["classes"],
        settings=_plain(facts.settings),
        results=[(words, *_with_spread(key, facts)) for key, words in RESULTS],
        labels=[(words, facts.metrics.get(key)) for key, words in LABELS],
        rows=rows,
        worst=worst,
        expressions=facts.data.expressions,
        people=facts.data.ingest["source"] != "rendered",
    )


def per_class(confusion: pd.DataFrame, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return test rows, recall and precision of each class.

    Parameters
    ----------
    confusion : pandas.DataFrame
        ``table``, ``row`` (true class), ``column`` (prediction) and ``count``; of ``table`` only
        ``test`` is read.
    classes : sequence of str
        In order.

    Returns
    -------
    list of dict
        ``name``, ``rows``, ``recall`` and ``precision``; a share of nothing is NaN.
    """
    matrix = np.nan_to_num(pair_matrix(confusion, "test", classes))
    right, true, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore"):
        recall, precision = right / true, right / said
    return [
        {"name": name, "rows": int(true[k]), "recall": recall[k], "precision": precision[k]}
        for k, name in enumerate(classes)
    ]


def _with_spread(key: str, facts: ModelFacts) -> tuple[Any, Any, Any, int]:
    """Return this run's value, and mean and deviation over seeds."""
    seeds = facts.seeds
    mean, deviation = (seeds.get(f"{key}_{part}") for part in ("mean", "sd"))
    return facts.metrics.get(key), mean, deviation, int(seeds.get("seeds", 1))


def _plain(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """List settings as dotted key and value."""
    found: list[tuple[str, str]] = []
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += _plain(value, f"{name}.")
        else:
            found.append((name, str(value)))
    return found


def _render(template: str, **context: Any) -> str:
    return str(load_template(template).render(context)).strip() + "\n"
