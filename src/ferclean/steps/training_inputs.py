"""What the steps that train or look through a network have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ferclean.config.load import Settings
from ferclean.errors import FercleanError, shown
from ferclean.methods.base import Context
from ferclean.methods.registry import build_recipe
from ferclean.methods.runner import Run
from ferclean.models.weights import load_backbone_weights
from ferclean.progress import say
from ferclean.steps.side_inputs import read_side_inputs
from ferclean.steps.training_rows import observed_labels, read_faces_and_labels
from ferclean.tables.labels import LabelTable
from ferclean.train.device import arithmetic, choose_device, compile_backbones
from ferclean.train.pictures import Pictures
from ferclean.train.state import (
    Identity,
    TrainState,
    fresh_state,
    load_torch,
    restore_state,
)
from ferclean.train.workers import joined_workers

# Where a checkpoint keeps its settings as JSON, for those who read it without params.yaml.
MADE_WITH = "made_with"


@dataclass(frozen=True)
class RunFiles:
    """What every step that looks through a run's networks is given.

    Attributes
    ----------
    faces : Path
        ``faces.pack`` of the align step.
    labels : Path
        Label table of the noise step; only its training columns are read.
    method : str
        Name of the recipe.
    seed : int
        Seed of the run.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    settings : Settings
        Sections ``model``, ``training`` and ``methods``.
    side : mapping of str to Path
        The method's further files, by the names of
        :data:`ferclean.config.side_inputs.SIDE_INPUTS`.
    """

    faces: Path
    labels: Path
    method: str
    seed: int
    device: str
    settings: Settings
    side: Mapping[str, Path] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """All files, in a fixed order."""
        return [self.faces, self.labels, *(self.side[name] for name in sorted(self.side))]


@dataclass(frozen=True)
class TrainingInputs:
    """A run ready to go.

    Attributes
    ----------
    run : Run
    identity : Identity
    training, held_out : LabelTable
        Training columns of the rows in ``train``, and of those in ``val`` and ``test``.
    settings : Settings
    """

    run: Run
    identity: Identity
    training: LabelTable
    held_out: LabelTable
    settings: Settings

    def fresh_state(self) -> TrainState:
        """Build the seeded networks of the run, on published weights if any, and the memory."""
        state = self.unfilled_state()
        if self.identity.model.weights is not None:
            for network in state.networks:
                load_backbone_weights(network, self.identity.model.weights)
        state.memory = self.run.recipe.start_memory(self.run.context)
        return state

    def unfilled_state(self) -> TrainState:
        """Build the networks for a checkpoint to fill: without published weights and memory."""
        context, recipe = self.run.context, self.run.recipe
        state = fresh_state(
            self.identity,
            recipe.networks,
            context.training.optimizer,
            context.device,
            heads=lambda feature_dim: recipe.heads(feature_dim, context),
            learning_rate_factors=recipe.learning_rate_factors,
        )
        if context.training.compile:
            compile_backbones(state.networks)
        return state

    def load_state(self, checkpoint: Path) -> TrainState:
        """Read a checkpoint that was made for this run.

        Raises
        ------
        FercleanError
            If it cannot be read, was made for another run or by another optimiser, or does not fit.
        """
        state = self.unfilled_state()
        content = load_torch(checkpoint, self.run.context.device)
        _check_optimizer(content, self.run.context.training.optimizer.name, checkpoint)
        restore_state(state, content, self.identity, checkpoint)
        return state


def _check_optimizer(content: Any, name: str, checkpoint: Path) -> None:
    """Refuse moments of another optimiser, which mean nothing to this one even where they fit."""
    made_with = content.get(MADE_WITH, "{}") if isinstance(content, dict) else "{}"
    try:  # the first checkpoints did not say it
        found = json.loads(made_with).get("optimizer", {}).get("name", name)
    except (TypeError, ValueError, AttributeError, RecursionError):
        raise FercleanError(f"{checkpoint} does not say what it was made with") from None
    if found != name:
        raise FercleanError(
            f"checkpoint {checkpoint} was made with training.optimizer.name {shown(found)}, but "
            f"this run has {name!r}: set it back, or start the run anew"
        )


@contextmanager
def open_training(files: RunFiles, *, processes: int = 1) -> Iterator[TrainingInputs]:
    """Read the inputs, move the pictures to the device and fix the arithmetic.

    Parameters
    ----------
    files : RunFiles
        The run.
    processes : int
        How many work on it together, each of which calls this function.

    Raises
    ------
    FercleanError
        If the labels name faces that the pack does not hold, or a training row has no label.
    """
    settings, trainer = files.settings, files.settings.training
    pack, table, position = read_faces_and_labels(files.faces, files.labels)
    recipe = build_recipe(files.method, settings.methods)
    kind = choose_device(files.device)
    say(f"{files.method}: seed {files.seed}, {settings.model.name}, on {kind.type}")
    training, held_out = table.in_split("train"), table.in_split("val", "test")
    observed = observed_labels(table, training, files.labels)
    side = read_side_inputs(files.method, files.side, table.take(training))
    if table.annotations:
        side["annotations"] = np.stack(
            [table.codes(column)[training] for column in table.annotations], axis=1
        )
    with joined_workers(kind, processes) as chosen, arithmetic(chosen, trainer):
        run = Run(
            recipe=recipe,
            context=Context(observed, len(table.classes), files.seed, trainer, chosen, side),
            training=Pictures(pack, position[training], device=chosen, settings=trainer),
            held_out=Pictures(pack, position[held_out], device=chosen, settings=trainer),
        )
        identity = Identity(
            method=files.method,
            classes=table.classes,
            channels=pack.shape[3],
            image_size=pack.shape[1],
            seed=files.seed,
            normalise_mean=trainer.normalise_mean,
            normalise_scale=trainer.normalise_scale,
            model=settings.model,
        )
        yield TrainingInputs(run, identity, table.take(training), table.take(held_out), settings)
