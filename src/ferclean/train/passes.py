"""The vocabulary in which a recipe tells the trainer what to do in an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from ferclean.models.network import Network


@dataclass(frozen=True)
class Stream:
    """Training rows that a pass walks through in shuffled batches.

    Attributes
    ----------
    name : str
        How the objective refers to the stream's batches.
    rows : numpy.ndarray
        ``(n,)`` int64 positions in the training table.
    batch_size : int
        Rows per step.
    views : int
        Independently augmented copies of every picture.
    strong_views : int
        Further copies under ``training.strong_augment``.
    """

    name: str
    rows: np.ndarray
    batch_size: int
    views: int = 1
    strong_views: int = 0


@dataclass(frozen=True)
class Batch:
    """Rows of one stream in one step.

    Attributes
    ----------
    rows : torch.Tensor
        ``(B,)`` int64 positions in the training table, on the training device.
    views : tuple of torch.Tensor
        One normalised, augmented ``(B, C, H, W)`` float tensor a view.
    strong : tuple of torch.Tensor
        The strongly augmented views.
    """

    rows: torch.Tensor
    views: tuple[torch.Tensor, ...]
    strong: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True)
class Step:
    """What an objective sees.

    Attributes
    ----------
    batches : mapping of str to Batch
        One a stream.
    networks : sequence of Network
        All networks; those of the pass are in train mode, the others in eval mode.
    epoch : float
        Fractional epoch since the start of warm-up.
    random : numpy.random.Generator
        For scalars drawn on the host (a mixing coefficient).
    generator : torch.Generator
        For tensors drawn on the training device (a permutation).
    memory : mapping of str to torch.Tensor
        The recipe's per-row memory on the training device; an objective may change the tensors
        in place (running targets), and finds them so in the next step and epoch.
    """

    batches: Mapping[str, Batch]
    networks: Sequence[Network]
    epoch: float
    random: np.random.Generator
    generator: torch.Generator
    memory: Mapping[str, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Term:
    """One part of the loss: values before any reduction, and the weight of their mean."""

    name: str
    values: torch.Tensor
    weight: float = 1.0


Objective = Callable[[Step], Sequence[Term]]


@dataclass(frozen=True)
class Pass:
    """One walk through the data that trains some of the networks.

    Attributes
    ----------
    kind : str
        Name for the history, for example ``"mixmatch"``.
    trains : tuple of int
        The networks that receive gradients.
    streams : tuple of Stream
        The first one is walked through once and sets the number of steps; the others start
        over, newly shuffled, as often as needed.
    objective : callable
        Turns a :class:`Step` into loss terms; the loss is the weighted sum of their means.
    span : tuple of int, optional
        First epoch and number of epochs over which this pass runs through the whole
        learning-rate schedule; by default the whole run, from warm-up to the last round.
    """

    kind: str
    trains: tuple[int, ...]
    streams: tuple[Stream, ...]
    objective: Objective
    span: tuple[int, int] | None = None


def count_steps(stream: Stream) -> int:
    """Return the number of batches of one walk; see :func:`walk_once`."""
    whole, rest = divmod(len(stream.rows), stream.batch_size)
    return max(whole + (rest > 1), min(1, len(stream.rows)))


def walk_once(stream: Stream, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield shuffled batches of rows; each row once.

    A last batch of a single row is left out when it is not the only one: batch
    normalisation has no variance there.
    """
    order = random.permutation(stream.rows)
    for step in range(count_steps(stream)):
        yield order[step * stream.batch_size : (step + 1) * stream.batch_size]


def walk_forever(stream: Stream, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield full batches of rows without end, reshuffling whenever all rows were seen."""
    waiting = np.empty(0, dtype=np.int64)
    while True:
        while len(waiting) < stream.batch_size:
            waiting = np.concatenate([waiting, random.permutation(stream.rows)])
        yield waiting[: stream.batch_size]
        waiting = waiting[stream.batch_size :]
