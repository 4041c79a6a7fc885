"""The one training loop: every method's epochs run through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.progress import bar
from ferclean.train.device import autocast
from ferclean.train.passes import (
    Batch,
    Pass,
    Step,
    Term,
    count_steps,
    walk_forever,
    walk_once,
)
from ferclean.train.pictures import Bytes, Pictures
from ferclean.train.schedule import learning_rate, set_learning_rate
from ferclean.train.seeds import derive_seed, numpy_stream, torch_stream
from ferclean.train.state import TrainState
from ferclean.train.workers import Workers, workers


@dataclass(frozen=True)
class PassReport:
    """What one pass did: the mean of each loss term and of their sum, and all its pictures."""

    losses: dict[str, float]
    pictures: int
    learning_rate: float


def run_pass(
    work: Pass,
    number: int,
    state: TrainState,
    pictures: Pictures,
    settings: TrainingSettings,
    *,
    seed: int,
    memory: Mapping[str, torch.Tensor] | None = None,
) -> PassReport:
    """Train some networks for one walk through a pass's first stream.

    Parameters
    ----------
    work : Pass
        Streams, objective and the networks to train.
    number : int
        Position of the pass within its epoch; part of every random stream's name.
    state : TrainState
        Changed in place.
    pictures : Pictures
        The training rows.
    settings : TrainingSettings
        Optimiser, precision.
    seed : int
        Seed of the run.
    memory : mapping, optional
        The recipe's per-row memory on the device; the objective may change it in place.

    Returns
    -------
    PassReport

    Raises
    ------
    FercleanError
        If the loss is not finite.
    """
    device, crew = next(state.networks[0].parameters()).device, workers()
    streams = (replace(each, rows=crew.agree(each.rows, device)) for each in work.streams)
    work = replace(work, streams=tuple(streams))
    for position, network in enumerate(state.networks):
        network.train(position in work.trains)
    random, generator = _draws(device, seed, number, state.epoch, crew.rank)
    shared = memory or {}
    before = {name: values.clone() for name, values in shared.items()} if crew.count > 1 else {}
    steps = count_steps(work.streams[0])
    first, length = work.span or (0, settings.total_epochs)
    totals: dict[str, torch.Tensor | float] = {}
    rate, sizes = 0.0, list[int]()
    walk = _shares(_step_rows(work, seed, number, state.epoch), crew, sizes)
    for index, fetched in enumerate(bar(pictures.fetch(walk), work.kind, steps)):
        epoch = state.epoch + index / steps
        rate = learning_rate(settings.optimizer, epoch=epoch - first, total_epochs=length)
        batches = _build_batches(work, fetched, pictures, generator)
        with autocast(device, settings.precision):
            step = Step(batches, state.networks, epoch, random, generator, shared)
            terms = work.objective(step)
        losses = _reduce(terms)
        _update(state, work.trains, losses["loss"], rate, crew)
        for name, value in losses.items():
            totals[name] = totals.get(name, 0.0) + value.detach().double()
    crew.average_statistics([state.networks[position] for position in work.trains])
    crew.merge(before, shared)
    means = {name: float(total) / steps for name, total in totals.items()}
    means = crew.average(means, device)
    _check_finite(means, work.kind, state.epoch)
    return PassReport(means, sum(sizes), rate)


def _draws(
    device: torch.device, seed: int, number: int, epoch: int, rank: int
) -> tuple[np.random.Generator, torch.Generator]:
    """Return the pass's random streams for objectives and views; the layers' is torch's own."""
    place = (number, epoch, rank) if rank else (number, epoch)  # one process is the first of many
    torch.manual_seed(derive_seed(seed, "layers", *place))  # dropout draws from here
    return (
        numpy_stream(seed, "objective", *place),
        torch_stream(device, seed, "augment", *place),
    )


def _reduce(terms: Sequence[Term]) -> dict[str, torch.Tensor]:
    """Return the weighted sum of the terms' means as ``loss``, and each mean beside it."""
    means = {f"loss_{term.name}": term.values.float().mean() for term in terms}
    weighted = [means[f"loss_{term.name}"] * term.weight for term in terms]
    return {"loss": torch.stack(weighted).sum(), **means}


def _step_rows(work: Pass, seed: int, number: int, epoch: int) -> Iterator[dict[str, np.ndarray]]:
    walks = []
    for position, stream in enumerate(work.streams):
        random = numpy_stream(seed, "order", number, position, epoch)
        walks.append(walk_once(stream, random) if position == 0 else walk_forever(stream, random))
    names = [stream.name for stream in work.streams]
    for rows in zip(*walks, strict=False):  # the first walk ends, the others never do
        yield dict(zip(names, rows, strict=True))


def _shares(
    steps: Iterable[dict[str, np.ndarray]], crew: Workers, sizes: list[int]
) -> Iterator[dict[str, np.ndarray]]:
    """Yield this process's rows of every step; note in `sizes` how many all have, each once."""
    for step in steps:
        sizes.append(sum(map(len, step.values())))
        yield crew.share(step)


def _build_batches(
    work: Pass, fetched: Mapping[str, Bytes], pictures: Pictures, generator: torch.Generator
) -> dict[str, Batch]:
    batches = {}
    for stream in work.streams:
        rows, found = fetched[stream.name]
        batches[stream.name] = Batch(
            rows,
            pictures.views(found, stream.views, generator),
            pictures.views(found, stream.strong_views, generator, strong=True),
        )
    return batches


def _update(
    state: TrainState, trains: tuple[int, ...], loss: torch.Tensor, rate: float, crew: Workers
) -> None:
    for position in trains:
        set_learning_rate(state.optimizers[position], rate)
        state.optimizers[position].zero_grad(set_to_none=True)
    loss.backward()
    crew.average_gradients([state.networks[position] for position in trains])
    for position in trains:
        state.optimizers[position].step()


def _check_finite(losses: Mapping[str, float], kind: str, epoch: int) -> None:
    for name, value in losses.items():
        if not np.isfinite(value):
            raise FercleanError(
                f"{name} became {value} in epoch {epoch + 1} ({kind}); "
                "lower training.optimizer.learning_rate or check the data"
            )
