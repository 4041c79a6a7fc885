"""Faces and observed labels of a label table, checked against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ferclean.errors import FercleanError
from ferclean.tables.face_packs import Faces, read_face_pack
from ferclean.tables.labels import LabelTable, read_training_table


def read_faces_and_labels(faces: Path, labels: Path) -> tuple[Faces, LabelTable, np.ndarray]:
    """Read a face pack and the training columns of a label table.

    Parameters
    ----------
    faces : Path
        ``faces.pack`` of the align step.
    labels : Path
        Label table of the noise step.

    Returns
    -------
    pack : Faces
        ``(M, H, W, C)`` uint8, memory-mapped.
    table : LabelTable
        All rows.
    position : numpy.ndarray
        ``(N,)`` int64, where each row's face lies in the pack.

    Raises
    ------
    FercleanError
        If the labels name faces that the pack does not hold.
    """
    pack, table = read_face_pack(faces), read_training_table(labels)
    position = table.frame["face_row"].to_numpy(dtype=np.int64)
    if len(position) and (position.min() < 0 or position.max() >= len(pack)):
        raise FercleanError(
            f"{labels} names faces {position.min()} to {position.max()}, "
            f"but {faces} holds {len(pack)}"
        )
    return pack, table, position


def observed_labels(table: LabelTable, training: np.ndarray, labels: Path) -> np.ndarray:
    """Return the observed labels of the training rows as codes, ``(n,)`` int64.

    Parameters
    ----------
    table : LabelTable
        All rows.
    training : numpy.ndarray
        ``(N,)`` bool mask.
    labels : Path
        The table's file, for messages.

    Raises
    ------
    FercleanError
        If there is no training row, or one has no label.
    """
    if not training.any():
        raise FercleanError(f"{labels} holds no training row")
    observed = table.codes("observed")[training]
    if (observed < 0).any():
        raise FercleanError(f"{labels}: {int((observed < 0).sum())} training rows have no label")
    return observed
