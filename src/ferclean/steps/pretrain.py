"""Step ``pretrain``: a method's warm-up from fresh networks."""

from __future__ import annotations

from pathlib import Path

from ferclean.methods.runner import History, run_epochs
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import RunFiles, open_training
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
        resume = ResumeFile("pretrain", inputs, files.paths, {})
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
