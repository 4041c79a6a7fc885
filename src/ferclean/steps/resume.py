"""A killed training step goes on where it stopped, and only with unchanged inputs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ferclean
from ferclean.config.wiring import sources_of
from ferclean.errors import FercleanError
from ferclean.methods.runner import History
from ferclean.progress import say
from ferclean.steps.training_inputs import TrainingInputs
from ferclean.train.state import (
    TrainState,
    load_torch,
    restore_state,
    save_torch,
    state_to_dict,
)

_FOLDER = Path(".ferclean") / "resume"


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
        digest = hashlib.sha256()
        for part in (step, inputs.identity.as_dict(), _settings(inputs), extra):
            digest.update(json.dumps(part, sort_keys=True).encode())
        source = [Path(name) for name in sources_of("train", Path(ferclean.__file__).parent)]
        for file in (*files, *source):
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        self.path = _FOLDER / f"{step}-{digest.hexdigest()[:24]}.pt"
        self._inputs = inputs

    def load(self, state: TrainState, history: History) -> None:
        """Bring state and history to the last finished epoch, if there is one.

        A resume file that cannot be read is put aside with a note; training starts over.
        """
        if not self.path.exists():
            return
        try:
            content = load_torch(self.path, self._inputs.run.context.device)
            restore_state(state, content["state"], self._inputs.identity, self.path)
        except FercleanError as error:
            say(f"starting over: {error}")
            self.path.unlink()
            return
        history.rows = json.loads(content["rows"])
        history.timing = json.loads(content["timing"])
        history.predictions = [p.cpu().numpy() for p in content["predictions"]]
        say(f"resuming after epoch {state.epoch} from {self.path}")

    def save(self, state: TrainState, history: History) -> None:
        """Write state and history atomically."""
        content = {
            "state": state_to_dict(state, self._inputs.identity),
            "rows": json.dumps(history.rows),
            "timing": json.dumps(history.timing),
            "predictions": [torch.from_numpy(np.asarray(p)) for p in history.predictions],
        }
        save_torch(content, self.path)

    def remove(self) -> None:
        """Delete the file once the step's outputs stand."""
        self.path.unlink(missing_ok=True)


def _settings(inputs: TrainingInputs) -> dict[str, Any]:
    run = inputs.run
    return {
        "training": dataclasses.asdict(run.context.training),
        "method": dataclasses.asdict(run.recipe.settings),
        "device": run.context.device.type,
    }
