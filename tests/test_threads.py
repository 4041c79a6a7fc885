from __future__ import annotations

import threading
import time

import pytest

from ferclean.threads import ordered_map


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_keep_the_order_whoever_is_first(workers):
    def work(number):
        time.sleep(0.002 * (7 - number % 7))
        return number * number

    assert list(ordered_map(work, range(30), workers)) == [n * n for n in range(30)]


def test_little_waits_and_work_runs_ahead():
    taken, most = 0, 0

    def items():
        nonlocal taken
        for number in range(20):
            taken += 1
            yield number

    for used, _ in enumerate(ordered_map(lambda n: n, items(), 3), start=1):
        most = max(most, taken - used)
    assert 1 <= most <= 3


def test_work_is_done_in_other_threads():
    names = set(ordered_map(lambda _: threading.current_thread().name, range(4), 2))
    assert threading.current_thread().name not in names


def test_an_error_comes_in_its_turn_and_ends_the_work():
    done = []

    def work(number):
        if number == 3:
            raise ValueError("three")
        done.append(number)
        return number

    found = ordered_map(work, range(1000), 2)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(found)
    assert max(done) <= 6


def test_nothing_is_mapped_to_nothing():
    assert list(ordered_map(str, [], 2)) == []
