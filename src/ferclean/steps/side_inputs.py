"""Further files of some methods' training steps, read for the training rows in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ferclean.config.methods import inputs_of
from ferclean.errors import FercleanError
from ferclean.tables.labels import LabelTable

# Each reader returns an array for the training rows of the given table.
READERS: dict[str, Callable[[Path, LabelTable], np.ndarray]] = {}


def read_side_inputs(
    method: str, files: Mapping[str, Path], table: LabelTable
) -> dict[str, np.ndarray]:
    """Read what a method asks for beside faces and labels.

    Parameters
    ----------
    method : str
        Name of the recipe.
    files : mapping of str to Path
        By the names of :data:`ferclean.config.side_inputs.SIDE_INPUTS`.
    table : LabelTable
        The training rows.

    Returns
    -------
    dict of str to numpy.ndarray

    Raises
    ------
    FercleanError
        If a file that the method needs is not given, or one that it does not read is.
    """
    needed = inputs_of(method)
    for name in needed:
        if name not in files:
            raise FercleanError(f"method {method} needs --side-input {name}=FILE")
    for name in files:
        if name not in needed:
            wanted = ", ".join(needed) or "none"
            raise FercleanError(
                f"method {method} does not read --side-input {name}; it reads: {wanted}"
            )
    return {name: READERS[name](files[name], table) for name in needed}
