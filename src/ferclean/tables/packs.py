"""The pack of pictures as they came: one memory-mapped file, addressed by sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ferclean.errors import FercleanError
from ferclean.tables.atomic import atomic_path

_ENCODED_SCHEMA = pa.schema([("sample_id", pa.string()), ("picture", pa.large_binary())])


@contextmanager
def encoded_pack(
    path: str | Path, pictures: Iterable[tuple[str, bytes]], rows_per_batch: int = 256
) -> Iterator[int]:
    """Write compressed pictures (PNG, JPEG, WebP bytes as they came) to one Arrow file.

    The file appears under its name when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        The ``.arrow`` file.
    pictures : iterable of (sample_id, bytes)
        Streamed; only one record batch is held in memory.
    rows_per_batch : int
        Pictures per record batch.

    Yields
    ------
    int
        Number of pictures written.
    """
    written = 0
    with atomic_path(path) as temporary:
        with (
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, _ENCODED_SCHEMA) as writer,
        ):
            rows: list[tuple[str, bytes]] = []
            for row in pictures:
                rows.append(row)
                if len(rows) == rows_per_batch:
                    written += _write_rows(writer, rows)
                    rows = []
            written += _write_rows(writer, rows)
        yield written


def _write_rows(writer: pa.ipc.RecordBatchFileWriter, rows: list[tuple[str, bytes]]) -> int:
    if rows:
        columns = [
            pa.array(column, field.type)
            for column, field in zip(zip(*rows, strict=True), _ENCODED_SCHEMA, strict=True)
        ]
        writer.write_batch(pa.record_batch(columns, schema=_ENCODED_SCHEMA))
    return len(rows)


class EncodedPack:
    """Random access to compressed pictures by ``sample_id``, memory-mapped.

    Raises
    ------
    FercleanError
        If the file is missing or not an encoded pack.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            self._table.validate(full=True)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise FercleanError(f"cannot read picture pack {path}: {error}") from None
        if self._table.schema != _ENCODED_SCHEMA:
            raise FercleanError(f"{path} is not a picture pack")
        self._path = Path(path)
        self._pictures = self._table["picture"]
        self._rows = {name: i for i, name in enumerate(self._table["sample_id"].to_pylist())}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, sample_id: str) -> bool:
        return sample_id in self._rows

    def picture(self, sample_id: str) -> bytes:
        """Return the compressed bytes of one picture."""
        if sample_id not in self._rows:
            raise FercleanError(f"{self._path} holds no picture {sample_id!r}")
        return bytes(self._pictures[self._rows[sample_id]].as_buffer())
