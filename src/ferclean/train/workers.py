"""Several processes that train one run together, each on its share of every batch.

Every process holds all networks and draws the same batches; of each it takes its share, and the
mean of all gradients moves the networks alike everywhere. What a pass changes besides, running
statistics and the recipe's memory of rows, is brought together at its end. With one process,
nothing of this happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed, nn

from ferclean.errors import FercleanError

# Batch normalisation of one row alone has no variance in the layers behind pooling.
_FEWEST_ROWS = 2


@dataclass(frozen=True)
class Workers:
    """The processes of this run.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    count : int
        How many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the run's files."""
        return self.rank == 0

    def share(self, step: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return this process's rows of a step, those of all where a share would be too small."""
        if min(map(len, step.values())) < _FEWEST_ROWS * self.count:
            return dict(step)
        return {name: rows[self.rank :: self.count] for name, rows in step.items()}

    def agree(self, rows: np.ndarray, device: torch.device) -> np.ndarray:
        """Return the first process's rows, ``(n,)`` int64.

        All find the same ones but for last bits at a threshold, and one row more would leave the
        others waiting for a step that never comes.
        """
        if self.count == 1:
            return rows
        length = torch.tensor([len(rows)], device=device)
        distributed.broadcast(length, 0)
        agreed = torch.zeros(int(length), dtype=torch.int64, device=device)
        if self.first:
            agreed.copy_(torch.from_numpy(rows))
        distributed.broadcast(agreed, 0)
        return np.asarray(agreed.cpu().numpy())

    def average_gradients(self, networks: Sequence[nn.Module]) -> None:
        """Replace gradients by their mean over the processes.

        A parameter that got no gradient anywhere still has none afterwards.
        """
        if self.count == 1:
            return
        parameters = [p for net in networks for p in net.parameters() if p.requires_grad]
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        got = torch.tensor([float(p.grad is not None) for p in parameters])
        sizes = [part.numel() for part in parts]
        flat = torch.cat([*(part.flatten() for part in parts), got.to(parts[0].device)])
        distributed.all_reduce(flat)
        *means, anywhere = flat.split([*sizes, len(parameters)])
        for parameter, mean, number in zip(parameters, means, anywhere.tolist(), strict=True):
            parameter.grad = (mean / self.count).view_as(parameter) if number else None

    def average_statistics(self, networks: Sequence[nn.Module]) -> None:
        """Replace running statistics (floating-point buffers) by their mean."""
        if self.count == 1:
            return
        for network in networks:
            for buffer in network.buffers():
                if buffer.is_floating_point():
                    distributed.all_reduce(buffer)
                    buffer.div_(self.count)

    def average(self, values: Mapping[str, float], device: torch.device) -> dict[str, float]:
        """Return the mean of each number; the processes name the same ones."""
        if self.count == 1:
            return dict(values)
        together = torch.tensor([values[name] for name in values], device=device)
        distributed.all_reduce(together)
        return dict(zip(values, (together / self.count).tolist(), strict=True))

    def merge(self, before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
        """Bring together, in place, what each process changed of its own copy.

        Parameters
        ----------
        before, after : mapping of str to Tensor
            The same arrays at the start and at the end of a pass. An element that several
            processes changed takes the value of the last of them.
        """
        if self.count == 1:
            return
        for name in sorted(after):
            old, new = before[name], after[name]
            same = (old == new) | ((old != old) & (new != new))  # NaN stays NaN
            owner = (~same).to(torch.uint8) * (self.rank + 1)
            distributed.all_reduce(owner, distributed.ReduceOp.MAX)
            told = torch.where(owner == self.rank + 1, new, torch.zeros_like(new))
            summed = told.to(torch.uint8) if told.dtype == torch.bool else told
            distributed.all_reduce(summed)
            new.copy_(torch.where(owner > 0, summed.to(new.dtype), old))

    def turns(self, batches: int) -> tuple[int, int]:
        """Return which of several batches are this process's: the first one, and every how many."""
        return (self.rank, self.count) if batches >= self.count else (0, 1)

    def gather(self, own: Sequence[Tensor], device: torch.device, *, batches: int) -> list[Tensor]:
        """Return the results of all batches in order, on the CPU.

        Parameters
        ----------
        own : sequence of Tensor
            ``(B, ...)`` each, of the batches that are this process's by :meth:`turns`; the very
            last batch of all may be smaller than the others.
        device : torch.device
            Of the training.
        batches : int
            How many there are altogether.
        """
        first, every = self.turns(batches)
        if self.count == 1:
            return list(own)
        if every == 1:  # each has them all, and the first one's count
            told = [part.to(device) for part in own]
            for part in told:
                distributed.broadcast(part, 0)
            return [part.cpu() for part in told]
        sizes = torch.zeros(batches, dtype=torch.int64, device=device)
        sizes[first::every] = torch.tensor([len(part) for part in own], device=device)
        distributed.all_reduce(sizes)
        rows = sizes.tolist()
        together = torch.cat(list(own)).to(device)
        padded = together.new_zeros((rows[0] * -(-batches // every), *together.shape[1:]))
        padded[: len(together)] = together
        gathered = [torch.empty_like(padded) for _ in range(every)]
        distributed.all_gather(gathered, padded)
        parts = [each.cpu().split(rows[0]) for each in gathered]
        return [parts[n % every][n // every][: rows[n]] for n in range(batches)]


def workers() -> Workers:
    """Return the processes that were joined, or this one alone."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Workers()
    return Workers(distributed.get_rank(), distributed.get_world_size())


@contextmanager
def joined_workers(device: torch.device, processes: int) -> Iterator[torch.device]:
    """Join the processes that ``torchrun`` started; yield the device of this one.

    Parameters
    ----------
    device : torch.device
        The kind of device; each process takes a GPU of its own.
    processes : int
        ``training.processes``.

    Raises
    ------
    FercleanError
        If another number was started, or there are fewer GPUs.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != processes:
        raise FercleanError(
            f"training.processes is {processes}, but {started} were started: call ferclean without "
            f"torchrun, or with torchrun --nproc-per-node {processes}"
        )
    if processes == 1:
        yield device
        return
    if device.type == "cuda":
        there = torch.cuda.device_count()
        if processes > there:  # known to each of them before they wait for each other
            raise FercleanError(
                f"training.processes is {processes}, but GPUs are {there}: ask for as many, or "
                "lower it"
            )
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()
