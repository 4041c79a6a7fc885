"""Files that only some methods' training steps read, and where the workflow keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from ferclean.config.methods import inputs_of

# ``{setting}`` stands for the run's noise draw.
SIDE_INPUTS: dict[str, str] = {
    "landmarks": "results/prepare/align/samples.parquet",
    "semantic_similarity": "results/embed/{setting}/similarity.parquet",
    "word_vectors": "results/semantics/word_vectors.csv",
}


def side_inputs(method: str, setting: str) -> dict[str, str]:
    """Map the names of a method's further inputs to their files.

    Parameters
    ----------
    method, setting : str
        As they stand in a run's path.
    """
    return {name: SIDE_INPUTS[name].format(setting=setting) for name in inputs_of(method)}


def side_input_options(method: str, setting: str) -> list[str]:
    """Return a run's further inputs as options of the command line."""
    return [f"--side-input {name}={path}" for name, path in side_inputs(method, setting).items()]


def settings_needing(name: str, runs: Iterable[tuple[str, str]]) -> list[str]:
    """List the noise draws of which some run reads a side input.

    Parameters
    ----------
    name : str
        A key of :data:`SIDE_INPUTS`.
    runs : iterable of (str, str)
        Setting and method of each run, see :func:`ferclean.config.runs.runs_of`.

    Returns
    -------
    list of str
        Each once, in the order of the runs.
    """
    return list(dict.fromkeys(setting for setting, method in runs if name in inputs_of(method)))
