from __future__ import annotations

import os
import socket
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

import ferclean
from ferclean.errors import FercleanError
from ferclean.train.workers import Workers, joined_workers, workers
from fixtures import workers_at_work

pytestmark = pytest.mark.slow

SCRIPT = Path(workers_at_work.__file__)
PATHS = (Path(ferclean.__file__).resolve().parents[1], SCRIPT.parents[1])
CPU = torch.device("cpu")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    "check",
    [
        *("gradients", "statistics", "averages", "memories", "agreement", "few_batches"),
        *("observations", "pass_sizes"),
    ],
)
@pytest.mark.parametrize("count", [2, 3])
def test_processes_together(check, count):
    common = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, PATHS)),
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    started = [
        subprocess.Popen(
            [sys.executable, SCRIPT, check, str(count)],
            env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    for process in started:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said


def test_shares_are_all_rows_once():
    step = {"a": np.arange(11), "b": np.arange(100, 107)}
    shares = [Workers(rank, 3).share(step) for rank in range(3)]
    for name, rows in step.items():
        together = np.sort(np.concatenate([share[name] for share in shares]))
        np.testing.assert_array_equal(together, rows)
        sizes = [len(share[name]) for share in shares]
        assert max(sizes) - min(sizes) <= 1


def test_a_batch_too_small_to_be_shared_is_everybodys():
    step = {"a": np.arange(50), "b": np.arange(5)}
    for rank in range(3):
        share = Workers(rank, 3).share(step)
        assert [len(rows) for rows in share.values()] == [50, 5]


@pytest.mark.parametrize("batches", [1, 2, 3, 7])
def test_turns_are_all_batches_once(batches):
    turns = [Workers(rank, 3).turns(batches) for rank in range(3)]
    found = [list(range(first, batches, every)) for first, every in turns]
    if batches < 3:
        assert found == [list(range(batches))] * 3
    else:
        assert sorted(chain.from_iterable(found)) == list(range(batches))


def test_one_process_is_alone_and_changes_nothing():
    crew = workers()
    assert crew == Workers(0, 1) and crew.first
    network = torch.nn.BatchNorm1d(2)
    crew.average_gradients([network])
    crew.average_statistics([network])
    assert network.weight.grad is None
    assert crew.average({"a": 1.5}, CPU) == {"a": 1.5}
    rows = np.array([4, 2])
    assert crew.agree(rows, CPU) is rows
    part = [torch.zeros(3)]
    assert crew.gather(part, CPU, batches=1) == part
    step = {"a": np.arange(7)}
    np.testing.assert_array_equal(crew.share(step)["a"], step["a"])


@pytest.mark.parametrize(("wanted", "started"), [(2, None), (1, "4"), (2, "3")])
def test_another_number_of_processes_is_refused(monkeypatch, wanted, started):
    if started is None:
        monkeypatch.delenv("WORLD_SIZE", raising=False)
    else:
        monkeypatch.setenv("WORLD_SIZE", started)
    said = rf"training\.processes is {wanted}, but {started or 1} were started"
    with pytest.raises(FercleanError, match=said), joined_workers(CPU, wanted):
        pass
