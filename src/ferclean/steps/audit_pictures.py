"""``ferclean audit --data``: from pictures and their labels to the audit, in one call."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ferclean.config.input_files import data_inputs, files_below
from ferclean.config.load import Settings, build_settings, load_raw
from ferclean.config.presets import load_preset, merge
from ferclean.config.training import TrainingSettings
from ferclean.datasets.guess import guess_data_settings
from ferclean.errors import FercleanError
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
# By benchmarks/small_audit.py on faces and photographs that it does not report (seeds from 100 on).
_STEPS, _STEPS_AN_EPOCH, _SMALLEST_BATCH = 3000, 40, 16
_MOST_EPOCHS, _WARM_UP_SHARE = 60, 0.4
_FEWEST_ROWS = 1000


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
    if "classes" in found and not classes:
        say(f"{data} is read as {found['source']} of the classes {', '.join(found['classes'])}")
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
        Train small data sets for more epochs and in smaller batches than section ``training``
        says, see :func:`fit_to_rows`.
    """
    _require_apart(output, settings.data.path)
    work = output / "work"
    done = _Finished(work)
    faces, labels = _prepare(done, work, settings, seed)
    training = read_label_table(labels).in_split("train")
    rows, held_out = int(training.sum()), int((~training).sum())
    if held_out:
        say(f"{held_out} rows of splits other than train are not audited")
    if fit_epochs:
        settings = settings.with_section("training", fit_to_rows(settings.training, rows))
        if rows < _FEWEST_ROWS:
            say(f"{rows} faces teach a network little: below {_FEWEST_ROWS} verdicts are hints")
    files = RunFiles(faces, labels, METHOD, seed, device, settings)
    rounds = settings.training.rounds
    denoised, pretrained = work / "denoise", work / "pretrain"
    own = [repr(settings.model), repr(settings.training), repr(settings.methods.ferclean), seed]
    own += [_stamp(Path(name)) for name in files_below(settings.model.weights)]

    def once(part: str, step: str, outputs: list[Path], run: Callable[[], None]) -> None:
        done.once(part, own, outputs, run, code_of=step)

    train_all_rounds(files, pretrained=pretrained, denoised=denoised, once=once)
    audit_run(
        files,
        checkpoint=(denoised / f"round_{rounds}" if rounds else pretrained) / "checkpoint.pt",
        partition=denoised / f"round_{rounds}" / "partition.parquet",
        others={},
        duplicates=work / "ingest" / "duplicates.csv",
        output=output,
    )


def _require_apart(output: Path, data: str | None) -> None:
    """Refuse a folder within the data: a second call would take what it holds for pictures."""
    if data is None or not Path(data).is_dir():
        return
    if output.resolve().is_relative_to(Path(data).resolve()):
        raise FercleanError(f"--out {output} lies inside --data {data}: name a folder beside it")


def _prepare(done: _Finished, work: Path, settings: Settings, seed: int) -> tuple[Path, Path]:
    """Return ``faces.pack`` and the label table, with the labels as they are given."""
    read, faces, noise = work / "ingest", work / "align", work / "noise"
    raw, decided = data_inputs(settings.data), files_below(settings.review.path)
    done.once(
        "ingest",
        [repr(settings.data), [_stamp(Path(name)) for name in raw]],
        [read / "samples.parquet", read / "pictures.arrow"],
        lambda: ingest(output=read, settings=settings),
    )
    done.once(
        "align",
        [repr(settings.align)],
        [faces / "samples.parquet", faces / "faces.pack"],
        lambda: align(
            samples=read / "samples.parquet",
            pictures=read / "pictures.arrow",
            output=faces,
            settings=settings,
        ),
    )
    done.once(
        "inject-noise",
        [_stamp(Path(name)) for name in decided],
        [noise / "labels.parquet"],
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


def fit_to_rows(trainer: TrainingSettings, rows: int) -> TrainingSettings:
    """Return the trainer with which a small data set is learnt, and not learnt by heart.

    FER2013's 26,000 rows take 4,000 steps in 20 epochs; in as many epochs a few hundred rows would
    hardly be learnt. Smaller batches make more steps of an epoch, and show the network each label
    less often than more epochs would: what it sees 160 times it knows by heart, wrong or not.
    Warm-up takes a larger share, so that a network which knows little yet is not audited.

    Parameters
    ----------
    trainer : TrainingSettings
        Its epochs are never made fewer, its batches never larger.
    rows : int
        Training rows.

    Returns
    -------
    TrainingSettings
        The same where it makes 3,000 steps. Else with batches so small, down to 16 rows, that an
        epoch takes 40 steps, with epochs for 3,000 steps, at most 60, and two fifths of them
        warm-up.
    """
    batch = trainer.batch_size
    if rows // batch * trainer.total_epochs >= _STEPS:
        return trainer
    while batch // 2 >= _SMALLEST_BATCH and rows // batch < _STEPS_AN_EPOCH:
        batch //= 2
    wanted = math.ceil(_STEPS / max(1, rows // batch))
    epochs = max(trainer.total_epochs, min(_MOST_EPOCHS, wanted))
    warm_up = max(trainer.warm_up_epochs, round(_WARM_UP_SHARE * epochs))
    return dataclasses.replace(
        trainer,
        batch_size=batch,
        warm_up_epochs=warm_up,
        epochs_per_round=max(
            trainer.epochs_per_round, round((epochs - warm_up) / max(1, trainer.rounds))
        ),
    )


class _Finished:
    """Which steps are finished: each leaves a digest of settings, code and all before it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._before, self._anew = folder, "", False

    def once(
        self,
        step: str,
        values: Iterable[Any],
        outputs: Iterable[Path],
        run: Callable[[], None],
        *,
        code_of: str | None = None,
    ) -> None:
        """Run a step unless its digest and outputs are there; one broken off leaves no digest.

        After a step that ran all others run. `code_of` is the step whose code counts, where `step`
        is one of several of its kind.
        """
        self._before = resume_path(step, [self._before, *values], [], code_of=code_of or step).stem
        mark = self._folder / f"{step}.done"
        made = all(path.exists() for path in outputs)
        same = mark.is_file() and mark.read_text(errors="replace") == self._before
        if made and same and not self._anew:
            say(f"{step}: done before")
            return
        self._anew = True
        mark.unlink(missing_ok=True)
        run()
        write_text(mark, self._before)


def _stamp(path: Path) -> list[Any]:
    """Tell a file from its other versions without reading it, and from one that is not there."""
    found = path.stat() if path.exists() else None
    return [str(path), found.st_size, found.st_mtime_ns] if found else [str(path), None]
