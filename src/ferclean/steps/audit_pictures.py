"""``ferclean audit --data``: from pictures and their labels to the audit, in one call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ferclean.config.load import Settings, build_settings, load_raw
from ferclean.config.presets import load_preset, merge
from ferclean.config.training import TrainingSettings
from ferclean.config.wiring import data_files
from ferclean.datasets.guess import guess_data_settings
from ferclean.progress import say
from ferclean.steps.align import align
from ferclean.steps.audit_run import audit_run
from ferclean.steps.chain import train_all_rounds
from ferclean.steps.ingest import ingest
from ferclean.steps.inject_noise import inject_noise
from ferclean.steps.resume_path import resume_path
from ferclean.steps.training_inputs import RunFiles
from ferclean.tables.atomic import write_text
from ferclean.tables.labels import read_label_table

METHOD = "ferclean"
_STEPS, _MOST_EPOCHS = 3000, 160


def picture_settings(
    data: Path,
    *,
    classes: list[str] | None,
    params: str | None,
    aligned: bool,
    review: Path | None = None,
) -> Settings:
    """Build the settings of an audit of pictures.

    Parameters
    ----------
    data : Path
        Folder or table, or the word ``rendered``; see
        :func:`~ferclean.datasets.guess.guess_data_settings`.
    classes : list of str, optional
        Instead of those that are found.
    params : str, optional
        Settings file instead of the preset ``audit``; its section ``data`` gives way to `data`.
    aligned : bool
        Whether pictures are taken as aligned faces.
    review : Path, optional
        People's decisions, which win over the labels.
    """
    raw, source = load_raw(params) if params else (load_preset("audit"), "preset audit")
    build_settings(raw, source=source)  # so that a mistake is told before anything is laid over it
    drawn = data == Path("rendered") and not data.exists()
    found = {"source": "rendered"} if drawn else guess_data_settings(data)
    laid = {
        "data": {"validation_fraction": 0, **found, **({"classes": classes} if classes else {})}
    }
    if aligned:
        laid["align"] = {"detector": "already_aligned"}
    if review is not None:
        laid["review"] = {"path": str(review)}
    return build_settings(merge(raw, laid), source=source)


def audit_pictures(
    *, settings: Settings, output: Path, seed: int, device: str, fit_epochs: bool
) -> None:
    """Read a data set, cut its faces, train the method ``ferclean`` and audit the labels.

    The same steps and files as the workflow's lie below ``output/work``; a call that is repeated
    goes on with what is missing or was made of something else.

    Parameters
    ----------
    settings : Settings
        All sections; the labels are audited as they are, whatever section ``grid`` says.
    output : Path
        Folder for the audit, see :func:`~ferclean.steps.audit_run.audit_run`.
    seed : int
        Of the networks and of all orders.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    fit_epochs : bool
        Train small data sets for more epochs than section ``training`` says, see
        :func:`enough_epochs`.
    """
    work = output / "work"
    done = _Finished(work)
    faces, labels = _prepare(done, work, settings, seed)
    if fit_epochs:
        rows = int(read_label_table(labels).in_split("train").sum())
        settings = settings.with_section("training", enough_epochs(settings.training, rows))
    files = RunFiles(faces, labels, METHOD, seed, device, settings)
    rounds = settings.training.rounds
    denoised, pretrained = work / "denoise", work / "pretrain"
    done.once(
        "train",
        [repr(settings.model), repr(settings.training), repr(settings.methods.ferclean), seed],
        lambda: train_all_rounds(files, pretrained=pretrained, denoised=denoised),
    )
    audit_run(
        files,
        checkpoint=(denoised / f"round_{rounds}" if rounds else pretrained) / "checkpoint.pt",
        partition=denoised / f"round_{rounds}" / "partition.parquet",
        others={},
        duplicates=work / "ingest" / "duplicates.csv",
        output=output,
    )


def _prepare(done: _Finished, work: Path, settings: Settings, seed: int) -> tuple[Path, Path]:
    """Return ``faces.pack`` and the label table, with the labels as they are given."""
    read, faces, noise = work / "ingest", work / "align", work / "noise"
    decided = data_files(settings.review.path)
    raw = [] if settings.data.source == "rendered" else data_files(settings.data.path)
    done.once(
        "ingest",
        [repr(settings.data), [_stamp(Path(name)) for name in raw]],
        lambda: ingest(output=read, settings=settings),
    )
    done.once(
        "align",
        [repr(settings.align)],
        lambda: align(
            samples=read / "samples.parquet",
            pictures=read / "pictures.arrow",
            output=faces,
            settings=settings,
        ),
    )
    done.once(
        "inject-noise",
        [_stamp(path) for path in map(Path, decided) if path.is_file()],
        lambda: inject_noise(
            samples=faces / "samples.parquet",
            faces=faces / "faces.pack",
            output=noise,
            kind="none",
            rate=0.0,
            seed=seed,
            settings=settings,
        ),
    )
    return faces / "faces.pack", noise / "labels.parquet"


def enough_epochs(trainer: TrainingSettings, rows: int) -> TrainingSettings:
    """Return the trainer with so many epochs that a small data set is learnt at all.

    Parameters
    ----------
    trainer : TrainingSettings
        Warm-up and rounds keep their shares; they are never made shorter.
    rows : int
        Training rows.

    Returns
    -------
    TrainingSettings
        With about 3,000 steps, but at most 160 epochs. FER2013's 26,000 rows take 4,000 steps in
        20 epochs; in as many epochs a few thousand rows would hardly be learnt.
    """
    steps = max(1, rows // trainer.batch_size) * trainer.total_epochs
    most = _MOST_EPOCHS / trainer.total_epochs
    factor = max(1.0, min(_STEPS / steps, most))
    return dataclasses.replace(
        trainer,
        warm_up_epochs=round(trainer.warm_up_epochs * factor),
        epochs_per_round=round(trainer.epochs_per_round * factor),
    )


class _Finished:
    """Which steps are finished: each leaves a digest of settings, code and all before it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._before = folder, ""

    def once(self, step: str, values: Iterable[Any], run: Callable[[], None]) -> None:
        """Run a step unless its digest is there; a step that is broken off leaves none."""
        self._before = resume_path(step, [self._before, *values], [], code_of=step).stem
        mark = self._folder / f"{step}.done"
        if mark.is_file() and mark.read_text() == self._before:
            say(f"{step}: done before")
            return
        mark.unlink(missing_ok=True)
        run()
        write_text(mark, self._before)


def _stamp(path: Path) -> list[Any]:
    """Tell a file from its other versions without reading it."""
    found = path.stat()
    return [str(path), found.st_size, found.st_mtime_ns]
