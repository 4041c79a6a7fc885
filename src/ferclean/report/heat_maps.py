"""Class-by-class heat maps as HTML tables: sharp at any size, readable by a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

# Above this strength the page's paper colour reads better on a cell than its ink does: contrast
# of both was computed for the colours of style.css, light and dark; they cross near here.
_STRONG = 0.78


@dataclass(frozen=True)
class Cell:
    """One cell: its text, colour strength in [0, 1], colour family and tooltip."""

    text: str
    strength: float
    family: str
    title: str

    @property
    def strong(self) -> bool:
        """Whether the text must be drawn in the colour of the paper."""
        return self.strength > _STRONG


@dataclass(frozen=True)
class HeatMap:
    """A titled matrix of cells with named axes."""

    title: str
    row_axis: str
    column_axis: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    note: str = ""


def heat_map(
    values: np.ndarray,
    names: Sequence[str],
    *,
    title: str,
    row_axis: str,
    column_axis: str,
    kind: Literal["count", "share", "similarity"],
    note: str = "",
) -> HeatMap:
    """Build a heat map.

    Parameters
    ----------
    values : numpy.ndarray
        ``(K, K)``; NaN cells stay empty.
    names : sequence of str
        Class names of rows and columns.
    title, row_axis, column_axis, note : str
        Texts around the table.
    kind : {"count", "share", "similarity"}
        Counts are shaded by their share of the row; shares (in [0, 1]) and similarities (in
        [-1, 1], negative ones in the second colour) by themselves.

    Raises
    ------
    ValueError
        If the matrix does not fit the names.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (len(names), len(names)):
        raise ValueError(f"expected ({len(names)}, {len(names)}), found {values.shape}")
    shading = values
    if kind == "count":
        total = values.sum(axis=1, keepdims=True)
        shading = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    rows = tuple(
        (
            row_name,
            tuple(
                _cell(values[i, j], shading[i, j], kind, f"{row_name} → {column_name}")
                for j, column_name in enumerate(names)
            ),
        )
        for i, row_name in enumerate(names)
    )
    return HeatMap(title, row_axis, column_axis, tuple(names), rows, note)


def _cell(value: float, shade: float, kind: str, pair: str) -> Cell:
    if not np.isfinite(value):
        return Cell("", 0.0, "plain", f"{pair}: none")
    strength, family = min(abs(float(shade)), 1.0), "minus" if shade < 0 else "plus"
    if kind == "count":
        text = f"{int(value)}" if value else "·"
        return Cell(text, strength, family, f"{pair}: {int(value)} ({shade:.1%} of the row)")
    if kind == "share":
        text = f"{100 * value:.0f}" if value else "·"
        return Cell(text, strength, family, f"{pair}: {value:.1%}")
    return Cell(f"{round(value, 2) + 0.0:.2f}", strength, family, f"{pair}: {value:.3f}")


def pair_matrix(
    confusion: pd.DataFrame, table: str, classes: Sequence[str], column: str = "count"
) -> np.ndarray:
    """Take one table of ``confusion.csv`` as a matrix in class order.

    Parameters
    ----------
    confusion : pandas.DataFrame
        ``table``, ``row`` and ``column`` (class names), and the columns of numbers, a row a pair.
    table : str
        Which of its tables.
    classes : sequence of str
        K names.
    column : str
        The numbers to take: ``count``, or ``label_accuracy`` in [0, 1].

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64; NaN where the table has no such pair, everywhere if it is not there.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    chosen = confusion[confusion["table"] == table]
    square = chosen.pivot_table(index="row", columns="column", values=column, dropna=False)
    ordered = square.reindex(index=list(classes), columns=list(classes))
    return ordered.to_numpy(dtype=np.float64)
