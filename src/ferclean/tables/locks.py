"""Locks between the threads and processes that write the same file."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

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
