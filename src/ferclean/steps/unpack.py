"""``ferclean unpack``: the archives of a data set, whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ferclean.datasets.archives import read_archive
from ferclean.errors import FercleanError
from ferclean.progress import say, track


def unpack(archives: Sequence[Path], output: Path) -> None:
    """Unpack archives into one folder.

    Each is unpacked beside its place first and moved there when all of it was read: of an archive
    that is refused nothing is left.

    Parameters
    ----------
    archives : sequence of Path
        See :func:`~ferclean.datasets.archives.read_archive`.
    output : Path
        The folder; it may hold other files already.

    Raises
    ------
    FercleanError
        If an archive is refused, holds a file that is already there, or the folder cannot be
        written.
    """
    for archive in archives:
        try:
            output.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=output, prefix=".unpack-") as folder:
                names: list[str] = []
                for _ in track(_write(archive, Path(folder), names), f"unpack {archive.name}", 100):
                    pass
                _move(Path(folder), output, names)
        except OSError as error:
            named = error.filename or output
            raise FercleanError(f"cannot write {named}: {error.strerror or error}") from None
        say(f"{archive}: {len(names)} files in {output}")


def _write(archive: Path, folder: Path, names: list[str]) -> Iterator[None]:
    """Write each file, its name to `names`; yield once for each per cent of the archive."""
    size, done = _size(archive), 0
    for entry in read_archive(archive):
        target = folder / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.writelines(entry.chunks)
        names.append(entry.name)
        for _ in range(done, min(100, 100 * entry.place // size)):
            done += 1
            yield
    yield from [None] * (100 - done)


def _size(archive: Path) -> int:
    try:
        return max(1, archive.stat().st_size)
    except OSError as error:
        raise FercleanError(f"cannot read {archive}: {error.strerror}") from None


def _move(folder: Path, output: Path, names: list[str]) -> None:
    there = [name for name in names if (output / name).exists()]
    if there:
        raise FercleanError(
            f"{output / there[0]} is already there, and {len(there)} of {len(names)} files in all; "
            "move them away or choose another folder"
        )
    for name in names:
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(output / name)
