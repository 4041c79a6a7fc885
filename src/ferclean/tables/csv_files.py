"""CSV files that ferclean wrote itself, read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ferclean.errors import FercleanError
from ferclean.tables.inputs import require_columns


def read_csv(
    path: Path,
    columns: Sequence[str] = (),
    *,
    texts: Sequence[str] = (),
    required: Sequence[str] = (),
) -> pd.DataFrame:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
        The file; an empty one (no header) becomes an empty table.
    columns : sequence of str
        Columns of the empty table.
    texts : sequence of str
        Columns whose cells stay as they are written: a class may be named 7 or NA.
    required : sequence of str
        Columns that must be there.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    FercleanError
        If there is no such file, it is none, or a required column is missing.
    """
    table = _read(path, columns, texts)
    require_columns(path, table.columns, required)
    return table


def _read(path: Path, columns: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    try:
        empty = {name: [""] for name in pd.read_csv(path, nrows=0).columns if name not in texts}
        kept = dict.fromkeys(texts, str)
        return pd.read_csv(path, dtype=kept, keep_default_na=False, na_values=empty)
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=list(columns))
    except FileNotFoundError:
        raise FercleanError(f"not found: {path}") from None
    except (OSError, ValueError) as error:
        raise FercleanError(f"{path} is not a readable CSV file: {error}") from None
