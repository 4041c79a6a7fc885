"""Packs of aligned faces: one file, raw bytes or compressed pictures, addressed like an array."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np
import pyarrow as pa
from PIL import Image

from ferclean.errors import FercleanError
from ferclean.tables.atomic import atomic_path
from ferclean.tables.inputs import read_array, require_no_device

Encoding = Literal["raw", "png", "jpeg"]

_SCHEMA = pa.schema([("face", pa.large_binary())])
_SHAPE_KEY = b"ferclean_face_shape"
_ARROW_MAGIC, _JPEG_MAGIC = b"ARROW1", b"\xff\xd8"
_MODES = {1: "L", 3: "RGB"}
_LARGEST_SIDE = 2**14  # of a face in pixels
_ROWS_PER_BATCH = 256
# The best quality that Pillow's documentation advises, without subsampling of the colours: what
# an expression is told by is a few pixels wide.
_JPEG = {"quality": 95, "subsampling": 0}


class Faces(Protocol):
    """Aligned faces by row: an array of bytes, or :class:`EncodedFaces`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, H, W, C)``."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...


class EncodedFaces:
    """Compressed faces of one file, read and decoded when they are looked at.

    Safe to read from several threads at a time. A face is read by one call: through a memory map
    the system would read far ahead, in vain where rows are looked at in random order.

    Parameters
    ----------
    path : str or Path
        A pack that :func:`face_pack_writer` wrote as PNG or JPEG.

    Attributes
    ----------
    shape : tuple of int
        ``(N, H, W, C)``.

    Raises
    ------
    FercleanError
        If the file is missing or not such a pack.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._file = self._path.open("rb")
            whole = pa.memory_map(str(path)).read_buffer()
            table = pa.ipc.open_file(pa.BufferReader(whole)).read_all()
            table.validate(full=True)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise FercleanError(f"{path} is not a face pack: {error}") from None
        self.shape = (len(table), *_face_shape(table.schema, path))
        self._start, self._length = _places(table["face"], whole.address)
        # Compressed, or in no file, they would lie elsewhere in memory.
        if (self._start < 0).any() or (self._start + self._length > whole.size).any():
            raise FercleanError(f"{path} is not a face pack: its faces do not lie in it one by one")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | np.ndarray, /) -> np.ndarray:
        """Return faces as uint8: ``(H, W, C)`` for an integer, else ``(n, H, W, C)``.

        Raises
        ------
        FercleanError
            If a face cannot be decoded, or has another shape than the pack says.
        IndexError
            If a row lies outside the pack.
        """
        if isinstance(rows, int | np.integer):
            return self._decode(int(rows))
        wanted = np.arange(len(self))[rows]
        faces = np.empty((len(wanted), *self.shape[1:]), dtype=np.uint8)
        for place, row in enumerate(wanted.tolist()):
            faces[place] = self._decode(row)
        return faces

    @property
    def are_jpeg(self) -> bool:
        """Whether the faces are JPEG pictures; told by the first one."""
        return len(self) > 0 and self.encoded(0).startswith(_JPEG_MAGIC)

    def encoded(self, row: int) -> bytes:
        """Return one face as it lies in the pack, a PNG or JPEG picture."""
        start, length = int(self._start[row]), int(self._length[row])
        return os.pread(self._file.fileno(), length, start)

    def _decode(self, row: int) -> np.ndarray:
        height, width, channels = self.shape[1:]
        encoded = io.BytesIO(self.encoded(row))
        try:
            with Image.open(encoded, formats=("JPEG", "PNG")) as picture:
                if (picture.size, picture.mode) != ((width, height), _MODES[channels]):
                    raise ValueError(f"{picture.size} {picture.mode} in a pack of {self.shape[1:]}")
                return np.asarray(picture).reshape(self.shape[1:])
        # Broken files make Pillow's parsers raise nearly anything (SyntaxError, struct.error, ...).
        except Exception as error:
            known = isinstance(error, ValueError)
            reason = str(error) if known else "not a whole PNG or JPEG picture"
            raise FercleanError(f"{self._path}: face {row} cannot be decoded: {reason}") from None


def read_face_pack(path: str | Path) -> Faces:
    """Memory-map aligned faces read-only, whatever their encoding: ``(N, H, W, C)`` uint8.

    Raises
    ------
    FercleanError
        If the file is missing or not a face pack.
    """
    path = Path(path)
    require_no_device(path)
    try:
        with path.open("rb") as stream:
            encoded = stream.read(len(_ARROW_MAGIC)) == _ARROW_MAGIC
    except FileNotFoundError:
        raise FercleanError(f"face pack not found: {path}") from None
    except OSError as error:
        raise FercleanError(f"{path} is not a face pack: {error}") from None
    if encoded:
        return EncodedFaces(path)
    faces = read_array(path, "a face pack")
    if faces.ndim != 4 or faces.dtype != np.uint8:
        raise FercleanError(
            f"{path} must hold (N, H, W, C) uint8, found {faces.shape} {faces.dtype}"
        )
    return faces


def encode_face(face: np.ndarray, encoding: Encoding) -> bytes:
    """Return one face, ``(H, W, C)`` uint8 with C 1 or 3, as it lies in a pack.

    Raises
    ------
    ValueError
        If the face is of another kind.
    """
    if face.ndim != 3 or face.shape[2] not in _MODES or face.dtype != np.uint8:
        raise ValueError(f"a face must be (H, W, 1 or 3) uint8, found {face.shape} {face.dtype}")
    if encoding == "raw":
        return face.tobytes()
    stream = io.BytesIO()
    picture = Image.fromarray(face[:, :, 0] if face.shape[2] == 1 else face)
    picture.save(stream, encoding.upper(), **(_JPEG if encoding == "jpeg" else {}))
    return stream.getvalue()


class FacePackWriter(Protocol):
    """Appends encoded faces; see :func:`face_pack_writer`."""

    rows: int

    def append(self, face: bytes) -> None:
        """Write one face, of :func:`encode_face`."""


@contextmanager
def face_pack_writer(
    path: str | Path, *, size: int, channels: int, encoding: Encoding
) -> Iterator[FacePackWriter]:
    """Open a face pack whose number of rows is known only at its end; memory stays flat.

    Parameters
    ----------
    path : str or Path
        The file; it appears only when the block ends without an error.
    size, channels : int
        Shape of a face.
    encoding : {"raw", "png", "jpeg"}
        ``raw`` writes a NumPy array (``.npy`` format), the others an Arrow file of pictures.

    Yields
    ------
    FacePackWriter
    """
    shape = (size, size, channels)
    with atomic_path(path) as temporary:
        if encoding == "raw":
            with temporary.open("wb") as stream:
                raw = _RawWriter(stream, shape)
                yield raw
                raw.finish()
            return
        schema = _SCHEMA.with_metadata({_SHAPE_KEY: json.dumps(shape).encode()})
        with (
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, schema) as arrow,
        ):
            pictures = _EncodedWriter(arrow, schema)
            yield pictures
            pictures.finish()


class _RawWriter:
    def __init__(self, stream: BinaryIO, shape: tuple[int, int, int]) -> None:
        self._stream, self._shape = stream, shape
        self.rows = 0
        self._write_header()

    def append(self, face: bytes) -> None:
        if len(face) != int(np.prod(self._shape)):
            raise ValueError(f"a face must be {self._shape} uint8, found {len(face)} bytes")
        self._stream.write(face)
        self.rows += 1

    def finish(self) -> None:
        start = self._stream.tell() - self.rows * int(np.prod(self._shape))
        self._stream.seek(0)
        self._write_header()
        # numpy leaves room for the first axis to grow, so the header keeps its length.
        if self._stream.tell() != start:
            raise RuntimeError("the header of the face pack changed its length")
        self._stream.seek(0, os.SEEK_END)

    def _write_header(self) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.rows, *self._shape)}
        np.lib.format.write_array_header_1_0(self._stream, header)


class _EncodedWriter:
    def __init__(self, arrow: pa.ipc.RecordBatchFileWriter, schema: pa.Schema) -> None:
        self._arrow, self._schema = arrow, schema
        self._waiting: list[bytes] = []
        self.rows = 0

    def append(self, face: bytes) -> None:
        self._waiting.append(face)
        self.rows += 1
        if len(self._waiting) == _ROWS_PER_BATCH:
            self.finish()

    def finish(self) -> None:
        if self._waiting:
            column = pa.array(self._waiting, pa.large_binary())
            self._arrow.write_batch(pa.record_batch([column], schema=self._schema))
        self._waiting = []


def _places(faces: pa.ChunkedArray, file_start: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where in its file each face starts, and its bytes, ``(N,)`` int64 each."""
    starts, lengths = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for chunk in faces.chunks:
        _, offsets, content = chunk.buffers()
        inside = np.frombuffer(offsets, dtype=np.int64, count=len(chunk) + 1)
        first = file_start if content is None else content.address
        starts.append(first - file_start + inside[:-1])
        lengths.append(np.diff(inside))
    return np.concatenate(starts), np.concatenate(lengths)


def _face_shape(schema: pa.Schema, path: str | Path) -> tuple[int, int, int]:
    try:
        height, width, channels = json.loads((schema.metadata or {})[_SHAPE_KEY])
        if not schema.equals(_SCHEMA) or channels not in _MODES:
            raise ValueError
        if not all(type(side) is int and 1 <= side <= _LARGEST_SIDE for side in (height, width)):
            raise ValueError
    except (KeyError, ValueError, TypeError, RecursionError):
        raise FercleanError(f"{path} is not a face pack but another Arrow file") from None
    return height, width, int(channels)
