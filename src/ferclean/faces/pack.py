"""Write aligned faces one by one, with flat memory, to the file that ``read_raw_pack`` maps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ferclean.tables.atomic import atomic_path


class FacePackWriter:
    """Appends faces to an open ``.npy`` stream; see :func:`face_pack_writer`."""

    def __init__(self, stream: BinaryIO, size: int, channels: int) -> None:
        self._stream = stream
        self._shape = (size, size, channels)
        self.rows = 0
        self._write_header()

    def append(self, face: np.ndarray) -> None:
        """Write one face, ``(size, size, channels)`` uint8."""
        if face.shape != self._shape or face.dtype != np.uint8:
            raise ValueError(f"a face must be {self._shape} uint8, found {face.shape} {face.dtype}")
        self._stream.write(np.ascontiguousarray(face).data)
        self.rows += 1

    def finish(self) -> None:
        """Put the number of rows into the header."""
        start = self._stream.tell() - self.rows * int(np.prod(self._shape))
        self._stream.seek(0)
        self._write_header()
        # numpy leaves room for the first axis to grow, so the header keeps its length.
        if self._stream.tell() != start:
            raise RuntimeError("the header of the face pack changed its length")

    def _write_header(self) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.rows, *self._shape)}
        np.lib.format.write_array_header_1_0(self._stream, header)


@contextmanager
def face_pack_writer(path: str | Path, *, size: int, channels: int) -> Iterator[FacePackWriter]:
    """Open a face pack whose number of rows is known only at its end.

    Parameters
    ----------
    path : str or Path
        The ``.npy`` file; it appears only when the block ends without an error.
    size, channels : int
        Shape of a face.

    Yields
    ------
    FacePackWriter
        With the bytes that ``write_raw_pack`` would give for the same faces.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        writer = FacePackWriter(stream, size, channels)
        yield writer
        writer.finish()
