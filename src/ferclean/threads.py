"""Work side by side in threads, in order and with little waiting in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ordered_map(
    function: Callable[[T], R],
    items: Iterable[T],
    workers: int,
    *,
    ahead: int | None = None,
    worth_a_thread: Callable[[T], bool] = lambda _: True,
) -> Iterator[R]:
    """Yield ``function(item)`` of every item, in order; workers run ahead of who takes them.

    Parameters
    ----------
    function : callable
        Called in a thread; what it raises is raised here, in its turn.
    items : iterable
        Taken in this thread, at most `ahead` before what was taken from here.
    workers : int
        Threads.
    ahead : int, optional
        By default one more than there are workers.
    worth_a_thread : callable
        Of an item; one that is not is done at once, here, where nothing is waiting.
    """
    # Executor.map would pull the whole stream into memory at once.
    most = workers + 1 if ahead is None else ahead
    with ThreadPoolExecutor(workers) as pool:
        running: deque[Future[R]] = deque()
        try:
            for item in items:
                if not running and not worth_a_thread(item):
                    yield function(item)
                    continue
                running.append(pool.submit(function, item))
                if len(running) == most:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for job in running:
                job.cancel()
