"""Files that a training step leaves: checkpoint, history, timing, predictions."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ferclean.methods.runner import History
from ferclean.steps.training_inputs import MADE_WITH, TrainingInputs
from ferclean.tables.atomic import atomic_path, write_text
from ferclean.train.state import TrainState, save_torch, state_to_dict
from ferclean.train.workers import workers


def write_training_outputs(
    output: Path, inputs: TrainingInputs, state: TrainState, history: History
) -> None:
    """Write a step's four files into a folder, each atomically; the first process does.

    ``timing.csv`` stands apart from ``history.csv`` because it is the only file that differs
    between two identical runs.
    """
    if not workers().first:
        return
    write_text(output / "history.csv", pd.DataFrame(history.rows).to_csv(index=False))
    write_text(output / "timing.csv", pd.DataFrame(history.timing).to_csv(index=False))
    with atomic_path(output / "predictions.npz") as temporary, temporary.open("wb") as stream:
        np.savez_compressed(
            stream,
            allow_pickle=False,
            epoch=np.array([row["epoch"] for row in history.rows], dtype=np.int64),
            probabilities=np.stack(history.predictions).astype(np.float32),
            sample_id=inputs.held_out.frame["sample_id"].to_numpy(dtype=str),
            **{f"uncertainty_{name}": value for name, value in history.uncertainty.items()},
        )
    content = {**state_to_dict(state, inputs.identity), MADE_WITH: json.dumps(_made_with(inputs))}
    save_torch(content, output / "checkpoint.pt")


def _made_with(inputs: TrainingInputs) -> dict[str, Any]:
    """Return the settings that decide what these networks are and how they learnt.

    How many epochs make a round is left out: it changes no bit of a checkpoint.
    """
    trainer = inputs.settings.training
    return {
        "method": asdict(inputs.run.recipe.settings),
        "warm_up_epochs": trainer.warm_up_epochs,
        "batch_size": trainer.batch_size,
        "optimizer": asdict(trainer.optimizer),
        "augment": asdict(trainer.augment),
    }
