"""Expand section ``grid`` into noise settings and runs: names only, no file is touched."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, get_args

from ferclean.config.data import table_header
from ferclean.config.grid import CEILING, NoiseKind
from ferclean.config.load import Settings
from ferclean.errors import FercleanError

# The noise is not drawn at a rate for these kinds, so they are not repeated over the rates.
RATELESS_KINDS = ("none", "file")
_SETTING_PATTERN = re.compile(r"(?P<kind>[a-z_]+)-(?P<rate>\d+(\.\d+)?)-seed(?P<seed>\d+)")


class Setting(NamedTuple):
    """One noise draw: what is done to the labels before any method sees them."""

    kind: str
    rate: float
    seed: int


def setting_name(kind: str, rate: float, seed: int) -> str:
    """Name one noise draw, as it stands in paths.

    Parameters
    ----------
    kind : str
        A noise kind of section ``grid``.
    rate : float
        Nominal rate in [0, 1]; taken as 0 for the kinds that have none.
    seed : int
        Seed of the draw and of training, at least 0.

    Returns
    -------
    str
        For example ``"symmetric-0.3-seed0"``; :func:`parse_setting` is its exact inverse.
    """
    exact = Decimal(0) if kind in RATELESS_KINDS else Decimal(repr(float(rate)))
    # Never in exponent form: 1e-05 and 0.00001 are one rate and must be one folder.
    digits = format(abs(exact), "f")
    return f"{kind}-{digits.rstrip('0').rstrip('.') if '.' in digits else digits}-seed{seed}"


def parse_setting(name: str) -> Setting:
    """Read a name that :func:`setting_name` made.

    Raises
    ------
    FercleanError
        If `name` is not of the form ``<noise>-<rate>-seed<seed>`` with a known noise kind.
    """
    match = _SETTING_PATTERN.fullmatch(name)
    if match is None or match["kind"] not in get_args(NoiseKind):
        raise FercleanError(
            f"setting {name!r} is not of the form <noise>-<rate>-seed<seed>, "
            "for example 'symmetric-0.3-seed0'"
        )
    return Setting(match["kind"], float(match["rate"]), int(match["seed"]))


def settings_of(settings: Settings) -> list[str]:
    """List the noise draws of section ``grid``, each once, in the order of the grid."""
    grid = settings.grid
    names = (
        setting_name(kind, rate, seed)
        for kind in grid.noise
        for rate in ((0.0,) if kind in RATELESS_KINDS else grid.rates)
        for seed in grid.seeds
    )
    return list(dict.fromkeys(names))


def runs_of(settings: Settings) -> list[tuple[str, str]]:
    """List the runs: every method and control, once, on every noise draw.

    ``oracle_clean`` is left out where nothing tells the true labels (see :func:`truth_known`).

    Parameters
    ----------
    settings : Settings
        Sections ``grid`` and ``data``.

    Returns
    -------
    list of (str, str)
        Pairs of setting name and method name.
    """
    methods = dict.fromkeys((*settings.grid.methods, *settings.grid.controls))
    return [
        (name, method)
        for name in settings_of(settings)
        for method in methods
        if method != CEILING or truth_known(settings, parse_setting(name).kind)
    ]


def truth_known(settings: Settings, kind: str) -> bool:
    """Tell whether the truth behind the observed labels can be known.

    It is known for noise that is injected here, for rendered faces, where a list of noisy labels
    makes a published set's own labels the truth, where the votes of later annotators serve as
    truth for the labels that are trained on, and for a table with a column ``true``.
    """
    data = settings.data
    has_votes = data.source == "fer2013_parquet" or data.votes_path is not None
    votes_are_truth = has_votes and data.vote_truth and data.labels == "given"
    known = data.source == "rendered" or data.labels_path is not None or votes_are_truth
    return kind != "none" or known or (data.source == "table" and _has_true_column(data.path))


def _has_true_column(path: str) -> bool:
    """Look at a table's header only; a file that cannot be read is ingest's to report."""
    try:
        return "true" in table_header(Path(path))
    except (OSError, ValueError, csv.Error):  # pyarrow's errors are ValueErrors or OSErrors
        return False
