"""Step ``cards``: a card of the data set, and one of every model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ferclean import __version__
from ferclean.config.data import CANONICAL_CLASSES, PUBLISHED_SOURCES, DataSettings
from ferclean.config.load import Settings
from ferclean.config.reference import plain
from ferclean.config.run_names import RunName
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.registry import published_facts
from ferclean.progress import say
from ferclean.report.cards import DataFacts, ModelFacts, data_card, model_card
from ferclean.report.contents import CLASS_COLUMNS
from ferclean.steps.summarised_runs import summarised_runs
from ferclean.tables.atomic import read_json, write_text
from ferclean.tables.csv_files import read_csv

_ESTIMATES = ["run", "noise_rate_observed", "noise_rate_estimated", "detection_auroc"]
_PART_OF_A_MODEL = ("align", "model", "training")


def cards(
    *,
    prepare: Path,
    noise: Path,
    evaluations: Path,
    summary: Path,
    run: Sequence[str],
    output: Path,
    settings: Settings,
) -> None:
    """Write the cards.

    Parameters
    ----------
    prepare, noise, evaluations, summary : Path
        Folders of results.
    run : sequence of str
        Runs as ``<setting>/<method>``, as for the summary.
    output : Path
        Folder for ``data_card.md`` and ``<setting>/<method>.md``.
    settings : Settings
        Sections ``data``, ``align``, ``model``, ``training`` and ``methods``.

    Raises
    ------
    FercleanError
        If a run is not in the summary, or a file is missing or broken.
    """
    names, results = summarised_runs(summary, run)
    origin, terms = _where_from(settings.data)
    data = DataFacts(
        ingest=read_json(prepare / "ingest" / "summary.json"),
        align=read_json(prepare / "align" / "summary.json"),
        noise={
            setting: read_json(noise / setting / "noise.json")
            for setting in dict.fromkeys(name.setting for name in names.values())
        },
        estimates=results[_ESTIMATES],
        expressions=_are_expressions(settings.data.classes),
        origin=origin,
        terms=terms,
    )
    write_text(output / "data_card.md", data_card(data))
    seeds = read_csv(summary / "seeds.csv")
    for name, parts in names.items():
        facts = ModelFacts(
            run=name,
            setting=parts.setting,
            method=parts.method,
            version=__version__,
            settings=_settings_of(parts.method, settings),
            metrics=read_json(evaluations / name / "metrics.json"),
            confusion=read_csv(evaluations / name / "confusion.csv", texts=CLASS_COLUMNS),
            seeds=_over_seeds(seeds, parts),
            noise=data.noise[parts.setting],
            data=data,
        )
        write_text(output / f"{name}.md", model_card(facts))
    say(f"{output}: cards of the data set and of {len(names)} models")


def _where_from(data: DataSettings) -> tuple[str, str]:
    """Return origin and terms of a published set; nothing is known of others."""
    if data.source not in PUBLISHED_SOURCES:
        return "", ""
    facts = published_facts(data.source)
    return facts.origin, facts.terms


def _are_expressions(classes: Sequence[str]) -> bool:
    """Return whether a class, or a word of one (*happily surprised*), names an expression."""
    known = label_lookup(CANONICAL_CLASSES)
    return any(word in known for name in classes for word in [name.lower(), *name.lower().split()])


def _settings_of(method: str, settings: Settings) -> dict[str, Any]:
    """Return what a model was made with, as in params.yaml."""
    found = {name: plain(getattr(settings, name)) for name in _PART_OF_A_MODEL}
    return {**found, f"methods.{method}": plain(getattr(settings.methods, method))}


def _over_seeds(seeds: pd.DataFrame, run: RunName) -> dict[str, Any]:
    """Return the row of seeds.csv that a run is part of."""
    same = seeds["method"].eq(run.method) & seeds["noise"].eq(run.noise)
    rows = seeds[same & np.isclose(seeds["rate"], run.rate)]
    return dict(rows.iloc[0]) if len(rows) else {}
