from __future__ import annotations

import os

import pytest

from ferclean import machine
from ferclean.machine import given_threads, usable_cores, usable_memory


def test_cores_are_those_that_this_process_may_run_on(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert usable_cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.mark.parametrize(
    ("given", "threads"), [(None, 6), ("1", 1), ("12", 12), ("", 6), ("0", 6), ("-2", 6), ("x", 6)]
)
def test_threads_are_those_given_else_one_a_core(monkeypatch, given, threads):
    monkeypatch.setattr(machine, "usable_cores", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert given_threads() == threads


@pytest.mark.parametrize(
    ("group", "slurm", "limit"),
    [(None, None, 4096_000), ("max\n", None, 4096_000), ("400000\n", None, 400_000),
     ("3000000\n", "2", 2 * 2**20), (None, "1024", 4096_000), ("3000000\n", "0", 3_000_000)],
)  # fmt: skip
def test_memory_is_the_least_of_machine_container_and_job(
    monkeypatch, tmp_path, group, slurm, limit
):
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr(os, "sysconf", pages.get)
    monkeypatch.setattr(machine, "_CGROUP_LIMIT", tmp_path / "memory.max")
    monkeypatch.delenv("SLURM_MEM_PER_NODE", raising=False)
    if group is not None:
        (tmp_path / "memory.max").write_text(group)
    if slurm is not None:
        monkeypatch.setenv("SLURM_MEM_PER_NODE", slurm)
    assert usable_memory() == limit


def test_a_system_that_does_not_tell_its_memory(monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert usable_memory() is None
