"""Read files that a data set names, without trusting it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ferclean.datasets.pictures import PictureError
from ferclean.errors import FercleanError
from ferclean.tables.inputs import require_columns, require_no_device, require_single_values

# No uncompressed picture of the supported formats needs more: 4 channels of 16 bits, and headers.
_BYTES_PER_PIXEL, _HEADER_BYTES = 8, 16 * 2**20
_ROWS_PER_BATCH = 1024


def read_inside(root: Path, relative: str, *, max_pixels: int) -> bytes:
    """Read a picture file that must lie inside a folder, links resolved.

    Parameters
    ----------
    root : Path
        The folder, already resolved.
    relative : str
        Path as the data set names it, relative to `root` (or absolute but inside it).
    max_pixels : int
        Bounds the size of files that are read at all.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    PictureError
        If the path leaves the folder, names no regular file, or cannot be read.
    """
    try:
        path = (root / relative).resolve()
        if not path.is_relative_to(root):
            raise PictureError("path leads outside the data folder")
        if not path.exists():
            raise PictureError("file not found")
        if not path.is_file():
            raise PictureError("not a regular file")
        size = path.stat().st_size
        if size > _BYTES_PER_PIXEL * max_pixels + _HEADER_BYTES:
            raise PictureError(f"file too large: {size} bytes")
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:  # link loops, NUL in a name
        raise PictureError(f"unusable path: {error}") from None


def read_each(
    root: Path, frame: pd.DataFrame, *, max_pixels: int
) -> Iterator[tuple[int, bytes | PictureError]]:
    """Stream the files that a frame's ``path`` column names, see :func:`read_inside`.

    Parameters
    ----------
    root : Path
        The folder, already resolved.
    frame : pandas.DataFrame
        Rows on a ``RangeIndex``; rows without a path are left out.
    max_pixels : int
        Bounds the size of files that are read at all.

    Yields
    ------
    row : int
        Row number.
    data : bytes or PictureError
        The file's content, or why there is none.
    """
    for row, path in enumerate(frame["path"]):
        if pd.isna(path) or not path:
            continue
        try:
            yield row, read_inside(root, path, max_pixels=max_pixels)
        except PictureError as error:
            yield row, error


def read_csv_rows(
    path: Path, required: tuple[str, ...], optional: tuple[str, ...] = (), *, separator: str = ","
) -> Iterator[tuple[str | None, ...]]:
    """Stream some columns of a CSV file as text.

    Parameters
    ----------
    path : Path
        UTF-8 with or without byte-order mark, any line ends; blank lines are passed over.
    required : tuple of str
        Columns that must be there.
    optional : tuple of str
        Columns that may be absent; their values are then ``None``.
    separator : str
        Column separator.

    Yields
    ------
    tuple of (str or None)
        Values of `required`, then of `optional`.

    Raises
    ------
    FercleanError
        If the file cannot be read, is no such table, or lacks a column.
    """
    require_no_device(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.reader(stream, delimiter=separator, skipinitialspace=True, strict=True)
            header = [name.strip() for name in next(rows, [])]
            require_columns(path, header, required, optional)
            wanted = [
                header.index(name) if name in header else None for name in (*required, *optional)
            ]
            for row in rows:
                if row and len(row) != len(header):
                    raise FercleanError(
                        f"{path}, line {rows.line_num}: expected {len(header)} values "
                        f"(the header's columns), found {len(row)}"
                    )
                if row:
                    yield tuple(None if at is None else row[at] for at in wanted)
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FercleanError(f"{path} is not UTF-8 text: save it as UTF-8 CSV") from None
    except csv.Error as error:
        raise FercleanError(f"{path}, line {rows.line_num}: not valid CSV: {error}") from None


def resolved_folder(path: str | None) -> Path:
    """Return ``data.path`` with all links resolved.

    Raises
    ------
    FercleanError
        If its links lead round in a circle.
    """
    try:
        return Path(path or "").resolve()
    except (OSError, RuntimeError):
        raise FercleanError(f"data.path {path} is a link that leads to itself") from None


def open_parquet(
    path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> pq.ParquetFile:
    """Open a Parquet file and check its columns.

    Raises
    ------
    FercleanError
        If the file cannot be read, is no Parquet file, lacks a required column, or holds a column
        twice or with more than one value a row.
    """
    require_no_device(path)
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise FercleanError(f"cannot read {path} as Parquet: {reason}") from None
    require_columns(path, file.schema_arrow.names, required, optional)
    require_single_values(path, file.schema_arrow, (*required, *optional))
    return file


def read_parquet_batches(
    file: pq.ParquetFile, path: Path, columns: list[str]
) -> Iterator[pa.RecordBatch]:
    """Stream some columns; a file that breaks off is an error that names it."""
    try:
        for batch in file.iter_batches(batch_size=_ROWS_PER_BATCH, columns=columns):
            batch.validate(full=True)  # texts in a Parquet file need not be UTF-8
            yield batch
    except (OSError, pa.ArrowException) as error:
        raise FercleanError(f"{path} is damaged: {str(error).splitlines()[0]}") from None
