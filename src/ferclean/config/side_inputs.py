"""Files that only some methods' training steps read, and where the workflow keeps them."""

from __future__ import annotations

from ferclean.config.methods import inputs_of

# ``{setting}`` stands for the run's noise draw.
SIDE_INPUTS: dict[str, str] = {}


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
