"""Step ``pretrain``: a method's warm-up from fresh networks."""

from __future__ import annotations

from pathlib import Path

from ferclean.errors import FercleanError
from ferclean.methods.runner import History, run_epochs
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import RunFiles, TrainingInputs, open_training
from ferclean.steps.training_outputs import write_training_outputs


def pretrain(files: RunFiles, *, output: Path) -> None:
    """Warm up a method's networks and write checkpoint, history and predictions.

    Parameters
    ----------
    files : RunFiles
        The run.
    output : Path
        Folder for ``checkpoint.pt``, ``history.csv``, ``timing.csv``, ``predictions.npz``.
    """
    with open_training(files, processes=files.settings.training.processes) as inputs:
        resume = ResumeFile("pretrain", inputs, [*files.paths, *_weights(inputs)], {})
        state, history = resume.load() or (inputs.fresh_state(), History())
        run_epochs(
            inputs.run,
            state,
            history,
            until=files.settings.training.warm_up_epochs,
            first_split=None,
            after_epoch=resume.save,
        )
        write_training_outputs(output, inputs, state, history)
        resume.remove()


def _weights(inputs: TrainingInputs) -> list[Path]:
    """Return the file of published weights if there is one: only this step reads it."""
    weights = inputs.settings.model.weights
    if weights is None:
        return []
    if not Path(weights).is_file():
        raise FercleanError(f"model.weights: file not found: {weights}")
    return [Path(weights)]
