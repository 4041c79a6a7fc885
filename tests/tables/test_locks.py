"""Who holds a lock keeps others away; where there are no locks, nobody is kept away."""

from __future__ import annotations

import errno
import os

import pytest

from ferclean.tables import locks
from ferclean.tables.locks import lock, stands


def test_a_second_handle_is_kept_away_until_the_first_is_closed(tmp_path):
    with (tmp_path / "x").open("w") as first, (tmp_path / "x").open("r") as second:
        assert lock(first.fileno(), wait=False)
        with pytest.raises(BlockingIOError):
            lock(second.fileno(), wait=False)
        first.close()
        assert lock(second.fileno(), wait=True)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_no_locks_are_no_mistake(tmp_path, monkeypatch, number):
    def no_locks(handle, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    with (tmp_path / "x").open("w") as stream:
        assert not lock(stream.fileno(), wait=False)


def test_a_file_stands_under_its_name_or_not(tmp_path):
    path = tmp_path / "x"
    with path.open("w") as stream:
        assert stands(path, stream.fileno())
        path.unlink()
        assert not stands(path, stream.fileno())
        path.touch()
        assert not stands(path, stream.fileno())
