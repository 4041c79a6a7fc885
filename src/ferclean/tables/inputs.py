"""Files that other people made: opened with care, and with one sentence where they are none."""

from __future__ import annotations

import pickletools
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ferclean.errors import FercleanError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_SHOWN_NAMES, _SHOWN_LETTERS = 20, 200
# What pandas calls the index of a frame that was filtered and then written.
_INDEX_PREFIX = "__index_level_"


def require_no_device(path: Path) -> None:
    """Raise a :class:`FercleanError` for a pipe, socket or device.

    Reading one would wait or go on for ever. A path with nothing behind it passes: whoever opens
    it says so.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise FercleanError(f"{path} is no file but a pipe, socket or device: name a file")


def require_columns(
    path: Path, found: Iterable[str], required: Iterable[str], optional: Iterable[str] = ()
) -> None:
    """Check the names of a table's columns.

    Raises
    ------
    FercleanError
        If a required column is missing, or a wanted one stands there twice.
    """
    names = list(found)
    for name in required:
        if name not in names:
            listed = ", ".join(names[:_SHOWN_NAMES])[:_SHOWN_LETTERS]
            raise FercleanError(f"{path}: column {name!r} is missing (found: {listed or 'none'})")
    for name in (*required, *optional):
        if names.count(name) > 1:
            raise FercleanError(f"{path} has two columns {name!r}: leave one of them")


def require_single_values(path: Path, schema: pa.Schema, columns: Iterable[str]) -> None:
    """Raise a :class:`FercleanError` if a column of a Parquet file holds lists or structures."""
    for name in columns:
        at = schema.get_field_index(name)
        if at >= 0 and pa.types.is_nested(schema.field(at).type):
            raise FercleanError(
                f"{path}: column {name!r} holds {schema.field(at).type}, not one value a row"
            )


def read_parquet_schema(path: str | Path, what: str) -> pa.Schema:
    """Read the names and types of a Parquet file's columns, and its metadata.

    Raises
    ------
    FercleanError
        If the file is missing (`what` says what it is) or no Parquet file.
    """
    path = Path(path)
    require_no_device(path)
    try:
        return pq.read_schema(path)
    except FileNotFoundError:
        raise FercleanError(f"{what} not found: {path}") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FercleanError(
            f"{path} is not a readable Parquet file: {_first_line(error)}"
        ) from None


def read_parquet_frame(
    path: str | Path, what: str, columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """Read columns of a Parquet file with one value a row, whoever wrote it.

    Notes of pandas in the file are not followed, so an index is a column like others; one that has
    no name is left out.

    Parameters
    ----------
    path : str or Path
        The file.
    what : str
        What it is, for messages.
    columns : iterable of str, optional
        Those to read, each of which must be there; else all.

    Raises
    ------
    FercleanError
        If the file cannot be read, is damaged, or lacks a column or has it twice.
    """
    path = Path(path)
    schema = read_parquet_schema(path, what)
    own = [name for name in schema.names if not name.startswith(_INDEX_PREFIX)]
    wanted = own if columns is None else list(columns)
    require_columns(path, schema.names, wanted)
    require_single_values(path, schema, wanted)
    try:
        table = pq.read_table(path, columns=wanted)
        table.validate(full=True)  # texts in a Parquet file need not be UTF-8
        frame = table.to_pandas(ignore_metadata=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FercleanError(f"{path} is damaged: {_first_line(error)}") from None
    return frame.assign(**_whole_numbers(table))


def _whole_numbers(table: pa.Table) -> dict[str, pd.Series]:
    """Return the columns of whole numbers that lack some; pandas makes floating point of them."""
    found = {}
    for field in table.schema:
        column = table[field.name]
        if pa.types.is_integer(field.type) and column.null_count:
            name = str(field.type).replace("int", "Int").replace("u", "U")
            kind = pd.api.types.pandas_dtype(name)
            found[field.name] = column.to_pandas(types_mapper=lambda _, kind=kind: kind)
    return found


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a table as people keep them, all of it as text where it is CSV or TSV.

    "03" stays what it is, and a class may be called "None".

    Raises
    ------
    FercleanError
        If the file cannot be read, is neither .csv, .tsv nor .parquet, or has a column twice.
    """
    if path.suffix.lower() == ".parquet":
        return read_parquet_frame(path, "table")
    require_no_device(path)
    try:
        rows = _read_text(path)
        if rows.shape[1] == 1:  # a blank line is a missing value there
            rows = _read_text(path, skip_blank_lines=False, names=[0]).fillna("")
            there = np.flatnonzero(rows[0].str.strip() != "")
            rows = rows.iloc[there[0] : there[-1] + 1] if len(there) else rows
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise FercleanError(f"{path} is not a readable table: {_first_line(error)}") from None
    names = [str(name).strip() for name in rows.iloc[0]]
    require_columns(path, names, (), names)
    return rows[1:].set_axis(names, axis=1).reset_index(drop=True)


def _read_text(path: Path, **options: Any) -> pd.DataFrame:
    found: pd.DataFrame = pd.read_csv(
        path,
        sep=_SEPARATORS.get(path.suffix.lower(), ","),
        header=None,  # pandas would rename a column that stands there twice
        dtype=str,
        keep_default_na=False,
        skipinitialspace=True,
        encoding="utf-8-sig",
        **options,
    )
    return found


def read_array(path: str | Path, what: str = "an NPY file of plain numbers") -> np.ndarray:
    """Map an array of a ``.npy`` file into memory, read-only.

    A file that announces more than it holds is refused before any room is made for it. `what` says
    what it should be, for messages.

    Raises
    ------
    FercleanError
        If the file cannot be read, is an archive, pickled, or none at all.
    """
    path = Path(path)
    require_no_device(path)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror or error}") from None
    # A file that is none makes numpy's reader raise nearly anything (BadZipFile, OverflowError).
    except Exception as error:
        raise FercleanError(f"{path} is not {what}: {_first_line(error)}") from None
    if not isinstance(found, np.ndarray):
        found.close()
        raise FercleanError(f"{path} is not {what} but an archive of arrays: save one alone")
    return np.asarray(found)


def memo_is_honest(stream: BinaryIO) -> bool:
    """Tell whether the next pickle of a stream numbers its objects one by one; the place stays.

    The unpickler makes room for as many remembered objects as the largest number says, and a few
    bytes can say two billion.

    Raises
    ------
    ValueError
        If it is no pickle, or breaks off.
    """
    start = stream.tell()
    operations = enumerate(pickletools.genops(stream), start=1)
    honest = all(
        "PUT" not in operation.name or (isinstance(argument, int) and argument <= number)
        for number, (operation, argument, _) in operations
    )
    stream.seek(start)
    return honest


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
