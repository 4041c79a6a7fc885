"""Which files of the user's a step reads: those that params.yaml names, and those they name."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from ferclean.config.data import TABLE_SEPARATORS, DataSettings, table_header
from ferclean.config.semantics import SemanticsSettings
from ferclean.errors import FercleanError

# Wildcards and path variables of Snakemake, wherever they stand in a name.
_PLACEHOLDER = re.compile(r"[{}<>]")


def files_below(*paths: str | None) -> list[str]:
    """List files, and those in folders.

    Parameters
    ----------
    *paths : str or None
        Files, folders (every file below them is listed) or nothing. A path that does not exist
        is listed as it is, so that Snakemake names it as missing.

    Returns
    -------
    list of str
        Sorted within each folder.
    """
    listed: list[str] = []
    for path in paths:
        if path is not None and Path(path).is_dir():
            listed += sorted(str(file) for file in Path(path).rglob("*") if file.is_file())
        elif path is not None:
            listed.append(path)
    return listed


def data_inputs(data: DataSettings) -> list[str]:
    """List every file that ingestion reads, a table's pictures included.

    A picture that a table names and that does not exist is not listed: ingestion puts its row
    into quarantine. What is wrong with a table is left for ingestion to say.
    """
    if data.source == "rendered":
        return []
    listed = files_below(data.path, data.votes_path, data.labels_path)
    if data.source == "table" and data.path is not None:
        listed += sorted(_pictures_of(Path(data.path)))
    return listed


def _pictures_of(table: Path) -> set[str]:
    if not table.is_file():  # not there, or a device that would never end
        return set()
    try:
        named = _column_of_paths(table)
    except (OSError, ValueError, LookupError, csv.Error):
        return set()
    pictures = {table.parent / name for name in named if name and "\0" not in name}
    return {str(picture) for picture in pictures if picture.is_file()}


def _column_of_paths(table: Path) -> set[str | None]:
    if table.suffix.lower() == ".parquet":
        from pyarrow import parquet  # heavy, and most tables are text

        return set(parquet.read_table(table, columns=["path"]).column("path").to_pylist())
    at = table_header(table).index("path")
    separator = TABLE_SEPARATORS.get(table.suffix.lower(), ",")
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, delimiter=separator, skipinitialspace=True)
        return {row[at] for row in islice(rows, 1, None) if len(row) > at}


def word_inputs(semantics: SemanticsSettings) -> list[str]:
    """List the files of word vectors or of text, with the arrays that gensim put beside a file."""
    if semantics.source not in ("file", "corpus") or semantics.path is None:
        return []
    beside = f"{semantics.path}.vectors.npy"
    return files_below(semantics.path, beside if Path(beside).is_file() else None)


def workflow_files(listed: Iterable[str]) -> list[str]:
    """Return files as Snakemake takes them.

    Raises
    ------
    FercleanError
        If a name holds a letter that Snakemake reads as the start of a placeholder.
    """
    checked = list(listed)
    for name in checked:
        if _PLACEHOLDER.search(name):
            raise FercleanError(
                f"Snakemake takes no file whose name holds one of {{ }} < >: rename {name}"
            )
    return checked
