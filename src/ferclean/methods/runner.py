"""Run a recipe's epochs: refresh the partition, run the passes, note predictions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch

from ferclean.methods.base import Context, Recipe, Split
from ferclean.partition.vectors import unit_rows
from ferclean.progress import epoch_line, say
from ferclean.train.loop import PassReport, run_pass
from ferclean.train.observe import Observation, observe, renewed
from ferclean.train.passes import Pass
from ferclean.train.pictures import Pictures
from ferclean.train.state import TrainState


@dataclass(frozen=True)
class Run:
    """What stays the same over all epochs of a run.

    Attributes
    ----------
    recipe : Recipe
    context : Context
    training, held_out : Pictures
        The training rows, and the validation and test rows whose predictions are noted.
    """

    recipe: Recipe
    context: Context
    training: Pictures
    held_out: Pictures


@dataclass
class History:
    """What the epochs of a step leave behind.

    Attributes
    ----------
    rows : list of dict
        One an epoch: ``epoch``, ``kind``, ``loss``, ``learning_rate``, ``loss_<term>``.
    timing : list of dict
        One an epoch: ``epoch``, ``seconds``, ``images_per_second``. Apart from `rows`
        because clocks differ from run to run.
    predictions : list of numpy.ndarray
        One ``(N_held_out, K)`` float32 an epoch.
    uncertainty : dict of str to numpy.ndarray
        The recipe's ``(N_held_out,)`` doubts after the last epoch.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    timing: list[dict[str, float]] = field(default_factory=list)
    predictions: list[np.ndarray] = field(default_factory=list)
    uncertainty: dict[str, np.ndarray] = field(default_factory=dict)


Part = Literal["training", "held_out"]


@dataclass
class Looks:
    """What networks that rest said of the pictures, so that they are not asked again.

    Nothing is kept for recipes whose networks are all trained in every epoch.

    Attributes
    ----------
    trained : frozenset of int, optional
        Networks that the last epoch trained; ``None`` before the first.
    kept : dict
        By part of the pictures: an observation, and the networks trained since.
    """

    trained: frozenset[int] | None = None
    kept: dict[Part, tuple[Observation, frozenset[int]]] = field(default_factory=dict)

    def after_epoch(self, passes: Sequence[Pass]) -> None:
        """Note which networks have changed."""
        self.trained = frozenset(network for work in passes for network in work.trains)
        self.kept = {name: (seen, old | self.trained) for name, (seen, old) in self.kept.items()}

    def look(self, run: Run, name: Part, state: TrainState) -> Observation:
        """Return what the recipe looks at: logits and its further outputs."""
        before, changed = self.kept.pop(name, (None, frozenset(range(len(state.networks)))))
        asked = sorted(changed)
        if before is None or asked:
            now = observe(
                [state.networks[network] for network in asked],
                getattr(run, name),
                run.context.training,
                outputs=run.recipe.outputs,
                epoch=state.epoch,
            )
            before = now if before is None else renewed(before, asked, now)
        if self.trained is not None and len(self.trained) < len(state.networks):
            self.kept[name] = (before, frozenset())
        return replace(before, epoch=state.epoch)


def look_at_features(run: Run, state: TrainState) -> np.ndarray:
    """Return the training rows' features, ``(N, M D)``: each network's scaled to length 1."""
    seen = observe(
        state.networks, run.training, run.context.training, outputs=("features",), epoch=state.epoch
    )
    scaled = [unit_rows(each).astype(np.float32) for each in seen.outputs["features"]]
    return np.concatenate(scaled, axis=1)


def split_rows(run: Run, state: TrainState, looks: Looks | None = None) -> Split:
    """Partition and relabel the training rows by what the networks now say of them."""
    seen = (looks or Looks()).look(run, "training", state)
    partition = run.recipe.partition(seen, run.context, state.memory)
    return partition, run.recipe.relabel(partition, run.context.observed)


def run_epochs(
    run: Run,
    state: TrainState,
    history: History,
    *,
    until: int,
    first_split: Split | None,
    after_epoch: Callable[[TrainState, History], None],
) -> None:
    """Train until `until` epochs are finished.

    Parameters
    ----------
    run : Run
    state : TrainState
        Changed in place.
    history : History
        Appended to in place; holds earlier epochs of this step after a restart.
    until : int
        Number of finished epochs, warm-up included, at which to stop.
    first_split : (Partition, Relabelling), optional
        For the very next epoch, as the file steps computed it; later epochs compute their own
        with the same functions. ``None`` computes the first one too.
    after_epoch : callable
        Called with state and history after every epoch (saves the resume file).
    """
    looks = Looks()
    while state.epoch < until:
        start = time.monotonic()
        passes = _plan_epoch(run, state, first_split, looks)
        first_split = None
        reports = _run_passes(passes, run, state)
        state.epoch += 1
        looks.after_epoch(passes)
        _note_predictions(history, run, state, looks)
        _note_epoch(history, state.epoch - 1, passes, reports, time.monotonic() - start)
        say(
            epoch_line(
                history.rows[-1],
                history.timing,
                total=run.context.training.total_epochs,
                until=until,
            )
        )
        after_epoch(state, history)


def _run_passes(passes: Sequence[Pass], run: Run, state: TrainState) -> list[PassReport]:
    """Run an epoch's passes in turn; their objectives share the memory on the device."""
    device, trainer = run.context.device, run.context.training
    memory = {name: torch.from_numpy(value).to(device) for name, value in state.memory.items()}
    reports = [
        run_pass(work, number, state, run.training, trainer, seed=run.context.seed, memory=memory)
        for number, work in enumerate(passes)
    ]
    state.memory = {name: value.cpu().numpy() for name, value in memory.items()}
    return reports


def _note_predictions(history: History, run: Run, state: TrainState, looks: Looks) -> None:
    if not len(run.held_out):
        history.predictions.append(np.empty((0, run.context.classes), dtype=np.float32))
        return
    seen = looks.look(run, "held_out", state)
    history.predictions.append(run.recipe.predict(seen, state.memory))
    history.uncertainty = run.recipe.uncertainty(seen)


def _plan_epoch(run: Run, state: TrainState, first_split: Split | None, looks: Looks) -> list[Pass]:
    recipe, context = run.recipe, run.context
    if state.epoch < context.training.warm_up_epochs:
        return recipe.warm_up(context)
    if not recipe.needs_partition(state.epoch, context):
        return recipe.epoch(state.epoch, context, None)
    split = first_split or split_rows(run, state, looks)
    state.memory = recipe.remember(state.memory, split[0])
    return recipe.epoch(state.epoch, context, split)


def _note_epoch(
    history: History,
    epoch: int,
    passes: Sequence[Pass],
    reports: Sequence[PassReport],
    seconds: float,
) -> None:
    names = dict.fromkeys(name for report in reports for name in report.losses)
    means = {
        name: float(np.mean([r.losses[name] for r in reports if name in r.losses]))
        for name in names
    }
    kinds = dict.fromkeys(work.kind for work in passes)
    row = {"epoch": epoch, "kind": "+".join(kinds), "loss": means.pop("loss")}
    history.rows.append({**row, "learning_rate": reports[-1].learning_rate, **means})
    pictures = sum(report.pictures for report in reports)
    history.timing.append(
        {"epoch": epoch, "seconds": seconds, "images_per_second": pictures / seconds}
    )
