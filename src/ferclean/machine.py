"""What of the machine is this process's: its cores, threads and memory."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def usable_cores() -> int:
    """Count the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def given_threads() -> int:
    """Count the threads that this process is to use.

    The rules hand a job its share of the machine as ``OMP_NUM_THREADS``; where that is no whole
    number above 0 there are as many as usable cores.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else usable_cores()


def usable_memory() -> int | None:
    """Count the bytes that this process may use of the machine, its container or SLURM job.

    ``None`` where the system does not tell.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    try:
        container = _CGROUP_LIMIT.read_text(encoding="ascii").strip()
    except OSError:  # no control groups
        container = ""
    job = os.environ.get("SLURM_MEM_PER_NODE", "")
    for limit, unit in ((container, 1), (job, 2**20)):
        if limit.isdecimal() and int(limit) > 0:  # "max", and SLURM's 0, are no limit
            memory = min(memory, int(limit) * unit)
    return memory
