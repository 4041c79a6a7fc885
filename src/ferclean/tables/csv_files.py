"""CSV files that ferclean wrote itself, read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ferclean.errors import FercleanError


def read_csv(path: Path, columns: Sequence[str] = (), *, texts: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
        The file; an empty one (no header) becomes an empty table.
    columns : sequence of str
        Columns of the empty table.
    texts : sequence of str
        Columns whose cells stay as they are written: a class may be named 7 or NA.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    FercleanError
        If there is no such file or it is none.
    """
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
