"""Where the files of a run lie, as seen from its checkpoint or its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ferclean.config.grid import CEILING, CONTROL
from ferclean.config.run_names import parse_run
from ferclean.errors import FercleanError

_ROUND = re.compile(r"round_(\d+)")


@dataclass(frozen=True)
class RunPlace:
    """The folders around a checkpoint.

    Attributes
    ----------
    aligned : Path
        Folder of the align step.
    labels : Path
        Label table that was trained on.
    run : str or None
        Name of the run, for example ``symmetric-0.3-seed0/smr``; an audit's has none.
    """

    aligned: Path
    labels: Path
    run: str | None


def place_of(checkpoint: Path) -> RunPlace | None:
    """Find the files of a checkpoint's run.

    Parameters
    ----------
    checkpoint : Path
        In the workflow's results or in the work folder of ``ferclean audit --data``.

    Returns
    -------
    RunPlace or None
        ``None`` where it lies anywhere else; the files may still be absent.
    """
    folder = checkpoint.resolve().parent
    if _ROUND.fullmatch(folder.name):
        folder = folder.parent
    if folder.name in ("denoise", "pretrain"):  # an audit's: no folder a run
        root = folder.parent
        return RunPlace(root / "align", root / "noise" / "labels.parquet", None)
    if folder.parent.parent.name in ("denoise", "pretrain"):
        setting, root = folder.parent.name, folder.parents[2]
        try:
            run = f"{setting}/{folder.name}"
            parse_run(run)
        except FercleanError:
            return None
        return RunPlace(
            root / "prepare" / "align", root / "noise" / setting / "labels.parquet", run
        )
    return None


def pictures_of(table: Path) -> Path | None:
    """Find the pictures that belong to a label table or audit: ``pictures.arrow`` of ingest.

    It is looked for in the folders above the table, where the workflow and ``ferclean audit
    --data`` keep it.
    """
    for folder in table.resolve().parents:
        for name in ("prepare/ingest", "work/ingest"):
            found = folder / name / "pictures.arrow"
            if found.is_file():
                return found
    return None


def only_model(results: Path) -> Path:
    """Return the last checkpoint of a results folder's one run, controls aside.

    Raises
    ------
    FercleanError
        If there is none, or there are several to choose from.
    """
    last = dict(_last_checkpoints(results))
    methods = {run for run in last if run.partition("/")[2] not in (CONTROL, CEILING)}
    chosen = sorted(methods or last)
    if not chosen:
        raise FercleanError(
            f"there is no trained model in {results}/: name one with --model (a checkpoint.pt, or "
            "what ferclean export-model wrote), or train one with snakemake"
        )
    if len(chosen) > 1:
        raise FercleanError(
            f"{results}/ holds the models of several runs ({', '.join(chosen[:5])}"
            f"{', ...' if len(chosen) > 5 else ''}): choose one with --model, for example "
            f"--model {last[chosen[0]]}"
        )
    return last[chosen[0]]


def _last_checkpoints(results: Path) -> Iterator[tuple[str, Path]]:
    """Yield run and checkpoint, later rounds later."""
    for path in sorted(results.glob("pretrain/*/*/checkpoint.pt")):
        yield f"{path.parts[-3]}/{path.parts[-2]}", path
    rounds = results.glob("denoise/*/*/round_*/checkpoint.pt")
    numbered = [(_ROUND.fullmatch(path.parent.name), path) for path in rounds]
    for _, path in sorted((int(match[1]), path) for match, path in numbered if match):
        yield f"{path.parts[-4]}/{path.parts[-3]}", path
