"""Further files of some methods' training steps, read for the training rows in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ferclean.config.methods import inputs_of
from ferclean.errors import FercleanError
from ferclean.faces.detect import LANDMARKS
from ferclean.faces.template import template_residuals
from ferclean.semantics.table import read_word_vectors
from ferclean.tables.labels import LabelTable, read_label_table
from ferclean.tables.similarity import read_similarity

_LANDMARK_COLUMNS = [f"landmark_{name}_{axis}" for name in LANDMARKS for axis in "xy"]


def read_landmarks(file: Path, table: LabelTable) -> np.ndarray:
    """Read the landmarks of the training faces as their differences from the template.

    Parameters
    ----------
    file : Path
        ``samples.parquet`` of the align step.
    table : LabelTable
        The training rows.

    Returns
    -------
    numpy.ndarray
        ``(N, 10)`` float32, see :func:`ferclean.faces.template.template_residuals`; NaN where
        a face has no landmarks.

    Raises
    ------
    FercleanError
        If the file lacks a column or does not hold exactly these faces.
    """
    columns = ("sample_id", "path", "split", "face_row", *_LANDMARK_COLUMNS)
    found = read_label_table(file, columns).frame.set_index("sample_id")
    found = found.reindex(table.frame["sample_id"])
    if not np.array_equal(found["face_row"].to_numpy(), table.frame["face_row"].to_numpy()):
        raise FercleanError(
            f"{file} does not hold the faces of the label table; run align and inject-noise again"
        )
    points = found[_LANDMARK_COLUMNS].to_numpy(dtype=np.float64)
    return template_residuals(points.reshape(-1, len(LANDMARKS), 2))


# Each reader returns an array for the training rows of the given table.
READERS: dict[str, Callable[[Path, LabelTable], np.ndarray]] = {
    "landmarks": read_landmarks,
    "semantic_similarity": lambda file, table: read_similarity(
        file, table.classes, table.frame["sample_id"].to_numpy()
    ),
    "word_vectors": lambda file, table: read_word_vectors(file, table.classes),
}


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
