"""Archives read without trusting them: no name leads out, no size is believed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ferclean.errors import FercleanError
from ferclean.tables.inputs import require_no_device

# Pictures hardly shrink and lists do so twentyfold; what grows more is made to fill the disk.
_MOST_GROWTH, _ALWAYS_ALLOWED = 100, 64 * 2**20
_DECOMPRESSORS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
_LONGEST_MAGIC, _ZIP_MAGIC = 6, b"PK"
_CHUNK = 2**20


@dataclass(frozen=True)
class Entry:
    """One file of an archive.

    Attributes
    ----------
    name : str
        Its path in the archive, which stays inside of it.
    chunks : iterator of bytes
        Its content, to be read before the next entry is asked for.
    place : int
        Bytes of the archive up to its end.
    """

    name: str
    chunks: Iterator[bytes]
    place: int


def read_archive(path: Path) -> Iterator[Entry]:
    """Yield the files of a ZIP or TAR archive, the latter plain or by gzip, bzip2 or xz.

    Parameters
    ----------
    path : Path
        The archive.

    Yields
    ------
    Entry
        One at a time, folders left out.

    Raises
    ------
    FercleanError
        If the archive cannot be read, is damaged, encrypted or of another kind; if it holds
        anything but files and folders, a name twice or one that leads out of it, or grows to more
        than a hundred times its size.
    """
    seen: set[str] = set()
    require_no_device(path)
    with _errors_of(path):
        with path.open("rb") as packed:
            magic = packed.read(_LONGEST_MAGIC)
        zipped = magic.startswith(_ZIP_MAGIC)
        for entry in _zip_entries(path) if zipped else _tar_entries(path, magic):
            if entry.name in seen:
                raise FercleanError(f"{path} holds {entry.name!r} twice; nothing was unpacked")
            seen.add(entry.name)
            yield entry
    if not seen:
        raise FercleanError(f"{path} holds no file")


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except FercleanError:
        raise
    except tarfile.ReadError:
        raise FercleanError(
            f"{path} is no ZIP or TAR archive, or a damaged one; other kinds (RAR, 7z) need a "
            "program of their own"
        ) from None
    except NotImplementedError as error:
        raise FercleanError(f"{path}: {error}; unpack it by another program") from None
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror or error}") from None
    # As with pictures, a broken file makes the parsers raise nearly anything.
    except Exception as error:
        raise FercleanError(f"{path} is damaged: {error or type(error).__name__}") from None


def _chunks(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    with _errors_of(path), stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _zip_entries(path: Path) -> Iterator[Entry]:
    limit, place = _limit(path), 0
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            place += info.compress_size
            limit -= info.file_size  # of which no more is ever read
            _check_growth(path, limit)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                continue
            if kind not in (0, stat.S_IFREG):
                raise _unusual(path, info.filename)
            if info.flag_bits & 1:
                raise FercleanError(
                    f"{path} is encrypted: unpack it by a program that asks for its password"
                )
            chunks = _chunks(archive.open(info), path)
            yield Entry(_inside(path, info.filename), chunks, place)


def _tar_entries(path: Path, magic: bytes) -> Iterator[Entry]:
    with path.open("rb") as packed:
        open_stream = next((d for m, d in _DECOMPRESSORS.items() if magic.startswith(m)), None)
        plain = open_stream(packed) if open_stream else packed
        bounded: Any = _Bounded(plain, path)
        with tarfile.open(fileobj=bounded, mode="r|") as archive:
            for member in archive:
                if member.isdir():
                    continue
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is None or member.issparse():
                    raise _unusual(path, member.name)
                chunks = _chunks(stream, path)
                yield Entry(_inside(path, member.name), chunks, packed.tell())


class _Bounded:
    """A stream that refuses to give more than the archive may grow to."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path, self._left = stream, path, _limit(path)

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        _check_growth(self._path, self._left)
        return data


def _limit(path: Path) -> int:
    return max(_ALWAYS_ALLOWED, _MOST_GROWTH * path.stat().st_size)


def _check_growth(path: Path, left: int) -> None:
    if left < 0:
        raise FercleanError(
            f"{path} grows to more than {_MOST_GROWTH} times its size, as no pictures do; nothing "
            "was unpacked"
        )


def _inside(path: Path, name: str) -> str:
    """Return a name with plain slashes that stays in the archive."""
    inside = PurePosixPath(name.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or not inside.parts or "\0" in name:
        raise FercleanError(
            f"{path} holds {name[:60]!r}, which leads out of the folder; nothing was unpacked"
        )
    return inside.as_posix()


def _unusual(path: Path, name: str) -> FercleanError:
    return FercleanError(
        f"{path} holds {name[:60]!r}, which is no plain file (a link or a device); nothing was "
        "unpacked"
    )
