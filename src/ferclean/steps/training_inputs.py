"""What the steps that train or look through a network have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ferclean.config.load import Settings
from ferclean.errors import FercleanError
from ferclean.methods.base import Context
from ferclean.methods.registry import build_recipe
from ferclean.methods.runner import Run
from ferclean.progress import say
from ferclean.tables.labels import LabelTable, read_training_table
from ferclean.tables.packs import read_raw_pack
from ferclean.train.device import arithmetic, choose_device
from ferclean.train.pictures import ResidentPictures
from ferclean.train.state import (
    Identity,
    TrainState,
    fresh_state,
    load_torch,
    restore_state,
)


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
        """Build the seeded networks of the run."""
        context = self.run.context
        return fresh_state(
            self.identity, self.run.recipe.networks, context.training.optimizer, context.device
        )

    def load_state(self, checkpoint: Path) -> TrainState:
        """Read a checkpoint that was made for this run."""
        state = self.fresh_state()
        content = load_torch(checkpoint, self.run.context.device)
        restore_state(state, content, self.identity, checkpoint)
        return state


@contextmanager
def open_training(
    *, faces: Path, labels: Path, method: str, seed: int, device: str, settings: Settings
) -> Iterator[TrainingInputs]:
    """Read the inputs, move the pictures to the device and fix the arithmetic.

    Raises
    ------
    FercleanError
        If the labels name faces that the pack does not hold, or a training row has no label.
    """
    pack, table = read_raw_pack(faces), read_training_table(labels)
    position = _pack_positions(pack, table, faces, labels)
    recipe = build_recipe(method, settings.methods)
    chosen = choose_device(device)
    say(f"{method}: seed {seed}, {settings.model.name}, on {chosen.type}")
    training, held_out = table.in_split("train"), table.in_split("val", "test")
    if not training.any():
        raise FercleanError(f"{labels} holds no training row")
    observed = table.codes("observed")[training]
    if (observed < 0).any():
        raise FercleanError(f"{labels}: {int((observed < 0).sum())} training rows have no label")
    trainer = settings.training
    with arithmetic(chosen, trainer):
        run = Run(
            recipe=recipe,
            context=Context(observed, len(table.classes), seed, trainer, chosen),
            training=ResidentPictures(pack, position[training], device=chosen, settings=trainer),
            held_out=ResidentPictures(pack, position[held_out], device=chosen, settings=trainer),
        )
        identity = Identity(
            method=method,
            classes=table.classes,
            channels=pack.shape[3],
            image_size=pack.shape[1],
            seed=seed,
            normalise_mean=trainer.normalise_mean,
            normalise_scale=trainer.normalise_scale,
            model=settings.model,
        )
        yield TrainingInputs(run, identity, table.take(training), table.take(held_out), settings)


def _pack_positions(pack: np.ndarray, table: LabelTable, faces: Path, labels: Path) -> np.ndarray:
    """Return where each row's face lies in the pack."""
    position = table.frame["face_row"].to_numpy(dtype=np.int64)
    if len(position) and (position.min() < 0 or position.max() >= len(pack)):
        raise FercleanError(
            f"{labels} names faces {position.min()} to {position.max()}, "
            f"but {faces} holds {len(pack)}"
        )
    return position
