"""A killed training step goes on where it stopped, and only with unchanged inputs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ferclean.errors import FercleanError
from ferclean.methods.runner import History
from ferclean.progress import say
from ferclean.steps.resume_path import resume_path
from ferclean.steps.training_inputs import TrainingInputs
from ferclean.train.device import uses_bfloat16
from ferclean.train.state import (
    TrainState,
    load_torch,
    restore_state,
    save_torch,
    state_to_dict,
)
from ferclean.train.workers import workers


class ResumeFile:
    """State and history after the last finished epoch, kept outside the step's outputs.

    It lies under ``.ferclean/resume`` in the working folder, because a failed workflow step
    loses its outputs. Its name is a hash of the step, all settings, the content of all input
    files and the source of the training code: with any of them changed it is simply not found.

    Parameters
    ----------
    step : str
        Name of the step.
    inputs : TrainingInputs
        The run.
    files : iterable of Path
        Input files whose content matters.
    extra : dict
        Further values that tell this step from others (the round).
    """

    def __init__(
        self, step: str, inputs: TrainingInputs, files: Iterable[Path], extra: dict[str, Any]
    ) -> None:
        values = (inputs.identity.as_dict(), _settings(inputs), extra)
        self.path = resume_path(step, values, files, code_of="train")
        self._inputs = inputs

    def load(self) -> tuple[TrainState, History] | None:
        """Return state and history after the last finished epoch, or ``None`` without one.

        A resume file that cannot be used is deleted with a note; training starts over.
        """
        if not self.path.exists():
            return None
        state, inputs = self._inputs.unfilled_state(), self._inputs
        try:
            content = load_torch(self.path, inputs.run.context.device)
            restore_state(state, content["state"], inputs.identity, self.path)
            predictions = [prediction.cpu().numpy() for prediction in content["predictions"]]
            doubts = {key: value.cpu().numpy() for key, value in content["uncertainty"].items()}
            rows, timing = json.loads(content["rows"]), json.loads(content["timing"])
            history = History(rows, timing, predictions, doubts)
        except (FercleanError, KeyError, TypeError, ValueError) as error:
            say(f"starting over: {error}")
            self.path.unlink(missing_ok=True)  # another process may have been first
            return None
        say(f"resuming after epoch {state.epoch} from {self.path}")
        return state, history

    def save(self, state: TrainState, history: History) -> None:
        """Write state and history atomically; of several processes the first does."""
        if not workers().first:
            return
        content = {
            "state": state_to_dict(state, self._inputs.identity),
            "rows": json.dumps(history.rows),
            "timing": json.dumps(history.timing),
            "predictions": [torch.from_numpy(np.asarray(p)) for p in history.predictions],
            "uncertainty": {k: torch.from_numpy(v) for k, v in history.uncertainty.items()},
        }
        save_torch(content, self.path)

    def remove(self) -> None:
        """Delete the file once the step's outputs stand."""
        if workers().first:
            self.path.unlink(missing_ok=True)


def _settings(inputs: TrainingInputs) -> dict[str, Any]:
    run = inputs.run
    return {
        "training": dataclasses.asdict(run.context.training),
        "method": dataclasses.asdict(run.recipe.settings),
        "device": run.context.device.type,
        "bfloat16": uses_bfloat16(run.context.device, run.context.training.precision),
    }
