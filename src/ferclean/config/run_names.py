"""Names of runs as a user passes them: ``symmetric-0.3-seed0/smr``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ferclean.config.methods import METHOD_NAMES
from ferclean.config.runs import parse_setting
from ferclean.errors import FercleanError, unknown_name


class RunName(NamedTuple):
    """The parts of a run's name."""

    setting: str
    noise: str
    rate: float
    seed: int
    method: str


def parse_run(run: str) -> RunName:
    """Split ``symmetric-0.3-seed0/smr`` into its parts.

    Raises
    ------
    FercleanError
        If the name has another form, so that it can never lead out of a results folder.
    """
    setting, slash, method = run.partition("/")
    if not slash:
        raise FercleanError(f"run {run!r} must look like symmetric-0.3-seed0/smr")
    kind, rate, seed = parse_setting(setting)
    if method not in METHOD_NAMES:
        raise unknown_name(f"method in run {run!r}", method, METHOD_NAMES)
    return RunName(setting, kind, rate, seed, method)


def checked_runs(run: Sequence[str]) -> dict[str, RunName]:
    """Check the names of runs: at least one, well-formed, none twice.

    Returns
    -------
    dict
        Name to its parts, in the order given.
    """
    if not run:
        raise FercleanError("--run is needed at least once, as --run symmetric-0.3-seed0/smr")
    parts: dict[str, RunName] = {}
    for name in run:
        if name in parts:
            raise FercleanError(f"run {name!r} is named twice")
        parts[name] = parse_run(name)
    return parts
