"""Who holds a lock keeps others away; where there are no locks, nobody is kept away."""

from __future__ import annotations

import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ferclean.errors import FercleanError
from ferclean.tables import locks
from ferclean.tables.locks import lock, one_writer, stands


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
    with one_writer(tmp_path / "y"):
        (tmp_path / "y").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y"]


def test_a_file_stands_under_its_name_or_not(tmp_path):
    path = tmp_path / "x"
    with path.open("w") as stream:
        assert stands(path, stream.fileno())
        path.unlink()
        assert not stands(path, stream.fileno())
        path.touch()
        assert not stands(path, stream.fileno())


def test_one_at_a_time_changes_a_file_and_no_lock_is_left(tmp_path):
    path, inside, most = tmp_path / "deep" / "x.csv", [], []

    def change(number):
        with one_writer(path):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.002)
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(64)))
    assert most == [1] * 64
    assert list(path.parent.iterdir()) == []


def test_a_block_that_fails_gives_the_lock_back(tmp_path):
    with pytest.raises(ZeroDivisionError), one_writer(tmp_path / "x"):
        raise ZeroDivisionError
    with one_writer(tmp_path / "x"):
        assert [path.name for path in tmp_path.iterdir()] == [".x.lock"]


def test_what_a_killed_one_left_is_taken_over(tmp_path):
    (tmp_path / ".x.lock").touch(mode=0o444)
    with one_writer(tmp_path / "x"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_persons_lock_file_may_be_readable_only(tmp_path, monkeypatch):
    (tmp_path / ".x.lock").touch()
    open_file = os.open

    def not_mine(path, flags, mode=0o777):
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return open_file(path, flags, mode)

    monkeypatch.setattr(locks.os, "open", not_mine)
    with one_writer(tmp_path / "x"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_had_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(FercleanError, match=r"^cannot write .*file/x: "),
        one_writer(tmp_path / "file" / "x"),
    ):
        pass
    (tmp_path / ".y.lock").mkdir()
    with (
        pytest.raises(
            FercleanError,
            match=r"^cannot write .*/y: \.y\.lock beside it cannot be locked: Is a dir",
        ),
        one_writer(tmp_path / "y"),
    ):
        pass
