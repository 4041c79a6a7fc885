"""Locks between the threads and processes that write the same file."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ferclean.errors import FercleanError

# What file systems that have no locks answer, as some network ones do.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


def lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file; the system releases it when the file is closed or the process ends.

    Parameters
    ----------
    handle : int
        Descriptor of the file. Opened a second time, in the same process too, it is another's.
    wait : bool
        Wait for whoever holds the lock.

    Returns
    -------
    bool
        False where the file system has no locks.

    Raises
    ------
    BlockingIOError
        If another holds the lock and `wait` is false.
    OSError
        If the file cannot be locked for any other reason.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def stands(path: Path, handle: int) -> bool:
    """Tell whether an open file still stands under its name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Keep all others who call this for the same file waiting until the block ends.

    What is locked is an empty file beside it, since the file itself is replaced by each change.
    It stands there only as long as somebody holds or awaits the lock. Where the file system has no
    locks, nobody waits.

    Parameters
    ----------
    path : Path
        The file to change. Its folder is created.

    Raises
    ------
    FercleanError
        If the file beside it cannot be made or locked.
    """
    beside = path.with_name(f".{path.name}.lock")
    try:
        handle = _opened_and_locked(beside)
    except OSError as error:
        raise FercleanError(
            f"cannot write {path}: {beside.name} beside it cannot be locked: {error.strerror}"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):  # what cannot be removed is taken over by the next one
            beside.unlink()
        os.close(handle)


def _opened_and_locked(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = _opened(path)
        try:
            lock(handle, wait=True)
            if stands(path, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # removed by the one who held it: whoever comes next makes a new one


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:  # another person's, which all but network file systems lock as well
        return os.open(path, os.O_RDONLY)
