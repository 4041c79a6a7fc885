"""Step ``pretrain``: a method's warm-up from fresh networks."""

from __future__ import annotations

from pathlib import Path

from ferclean.config.load import Settings
from ferclean.methods.runner import History, run_epochs
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import open_training
from ferclean.steps.training_outputs import write_training_outputs


def pretrain(
    *,
    faces: Path,
    labels: Path,
    output: Path,
    method: str,
    seed: int,
    device: str,
    settings: Settings,
) -> None:
    """Warm up a method's networks and write checkpoint, history and predictions.

    Parameters
    ----------
    faces : Path
        ``faces.npy`` of the align step.
    labels : Path
        Label table of the noise step; only its training columns are read.
    output : Path
        Folder for ``checkpoint.pt``, ``history.csv``, ``timing.csv``, ``predictions.npz``.
    method : str
        Name of the recipe.
    seed : int
        Seed of the run.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    settings : Settings
        Sections ``model``, ``training`` and ``methods``.
    """
    with open_training(
        faces=faces, labels=labels, method=method, seed=seed, device=device, settings=settings
    ) as inputs:
        resume = ResumeFile("pretrain", inputs, [faces, labels], {})
        state, history = resume.load() or (inputs.fresh_state(), History())
        run_epochs(
            inputs.run,
            state,
            history,
            until=settings.training.warm_up_epochs,
            first_split=None,
            after_epoch=resume.save,
        )
        write_training_outputs(output, inputs, state, history)
        resume.remove()
