"""Options that several commands share; each checks its value before the step is imported."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from ferclean.config.grid import NoiseKind
from ferclean.config.methods import METHOD_NAMES
from ferclean.config.side_inputs import SIDE_INPUTS
from ferclean.errors import FercleanError, unknown_name

STEPS_PANEL = "Workflow steps"
PEOPLE_PANEL = "For people"
DEVICES = ("auto", "cpu", "cuda")

_FILE, _FOLDER, _NOTHING = "a file", "a folder", "nothing"
_Check = Callable[[typer.CallbackParam, Any], Any]


def _must_be(wanted: str, *also: str) -> _Check:
    def check(option: typer.CallbackParam, path: Path) -> Path:
        found = _what_is_at(path)
        if found not in (wanted, *also):
            name = option.opts[0] if option.param_type_name == "option" else option.name
            raise FercleanError(f"{name} must be {wanted}, found {found} at {path}")
        return path

    return check


def _may_be(wanted: str) -> _Check:
    def check(option: typer.CallbackParam, path: Path | None) -> Path | None:
        return None if path is None else _must_be(wanted)(option, path)

    return check


def _all_files(option: typer.CallbackParam, paths: list[Path] | None) -> list[Path]:
    check = _must_be(_FILE)
    return [check(option, path) for path in paths or []]


def _what_is_at(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return _NOTHING
    except OSError as error:
        raise FercleanError(f"cannot look at {path}: {error.strerror}") from None
    return _FILE if stat.S_ISREG(mode) else _FOLDER if stat.S_ISDIR(mode) else "something else"


def _one_of(known: Iterable[str]) -> _Check:
    def check(option: typer.CallbackParam, value: str) -> str:
        if value not in known:
            raise unknown_name(f"value for {option.opts[0]}", value, known)
        return value

    return check


def _rate(option: typer.CallbackParam, value: float) -> float:
    if not 0 <= value <= 1:  # also refuses NaN, which passes a test for being too small or large
        raise FercleanError(f"{option.opts[0]} must lie between 0 and 1, found {value}")
    return value


def _at_least(low: int) -> _Check:
    def check(option: typer.CallbackParam, value: int) -> int:
        if value < low:
            raise FercleanError(f"{option.opts[0]} must be at least {low}, found {value}")
        return value

    return check


def _option(help_text: str, check: _Check | None = None, name: str | None = None) -> Any:
    names = [name] if name else []
    return typer.Option(*names, help=help_text, callback=check, show_default=name == "--params")


ParamsFile = Annotated[
    str, _option("Settings: a YAML file, or the step's sections as JSON.", name="--params")
]
OutputFolder = Annotated[Path, _option("Folder to write to.", _must_be(_FOLDER, _NOTHING))]
PhotoNames = Annotated[
    list[str],
    typer.Argument(
        metavar="PHOTO...", help="Photographs, folders or patterns.", show_default=False
    ),
]
# As registered in ferclean.export.layouts, which is heavy to import; a test holds them together.
EXPORT_FORMATS = ("csv", "cleanlab", "imagefolder", "huggingface", "fiftyone", "labelstudio")
ExportFormat = Annotated[
    str, _option(f"One of {', '.join(EXPORT_FORMATS)}.", _one_of(EXPORT_FORMATS), name="--format")
]
ExportedTable = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="labels.parquet of a run (results/evaluate), or audit.parquet.",
        callback=_must_be(_FILE),
        show_default=False,
    ),
]
OutputFile = Annotated[Path, _option("File to write.", _must_be(_FILE, _NOTHING))]
Samples = Annotated[Path, _option("Sample table (samples.parquet).", _must_be(_FILE))]
Pictures = Annotated[Path, _option("Pack of pictures (pictures.arrow).", _must_be(_FILE))]
Faces = Annotated[Path, _option("Pack of aligned faces (faces.pack).", _must_be(_FILE))]
Labels = Annotated[Path, _option("Label table (labels.parquet).", _must_be(_FILE))]
WordVectors = Annotated[Path, _option("Word vectors (word_vectors.csv).", _must_be(_FILE))]
Checkpoint = Annotated[Path, _option("Checkpoint to start from.", _must_be(_FILE))]
PartitionFile = Annotated[Path, _option("Partition (partition.parquet).", _must_be(_FILE))]
DuplicatesFile = Annotated[
    Path, _option("Pairs of duplicates (duplicates.csv of ingest).", _must_be(_FILE))
]
Relabelled = Annotated[Path, _option("Label table of the round before.", _must_be(_FILE))]
InputFolder = Annotated[Path, _option("Folder an earlier step wrote.", _must_be(_FOLDER))]
Kind = Annotated[
    str, _option(f"Noise kind: {', '.join(get_args(NoiseKind))}.", _one_of(get_args(NoiseKind)))
]
Rate = Annotated[float, _option("Nominal noise rate, 0 to 1.", _rate)]
Seed = Annotated[int, _option("Seed of every random choice.", _at_least(0))]
Method = Annotated[str, _option("Method, as named in section methods.", _one_of(METHOD_NAMES))]
Device = Annotated[str, _option("auto, cpu or cuda.", _one_of(DEVICES))]
RoundNumber = Annotated[int, _option("Which round, from 1.", _at_least(1))]
Rounds = Annotated[int, _option("Number of the last round.", _at_least(0))]
Runs = Annotated[list[str], _option("A run as SETTING/METHOD; repeat for each.", name="--run")]
DataPath = Annotated[
    Path | None,
    _option(
        "Pictures with labels: a folder of class folders, a table with columns path and label, "
        "FER2013 as CSV or Parquet, or the word rendered."
    ),
]
GivenLabelsFile = Annotated[
    Path | None, _option("Given labels, one a row: CSV, TSV, Parquet or NPY.", _may_be(_FILE))
]
ProbabilityFiles = Annotated[
    list[Path] | None,
    _option(
        "Probabilities (rows x classes) of a model that did not see the row: CSV, TSV, Parquet or "
        "NPY; repeat for an ensemble.",
        _all_files,
        name="--pred-probs",
    ),
]
FeatureFile = Annotated[
    Path | None,
    _option(
        "Features (rows x width) of the rows, NPY: they tell rows that are unlike all others.",
        _may_be(_FILE),
    ),
]
AuditFolder = Annotated[
    Path, typer.Argument(help="Folder of an audit of pictures.", callback=_must_be(_FOLDER))
]
DecisionsFile = Annotated[
    Path,
    typer.Option(help="File of the decisions (review.csv).", callback=_must_be(_FILE, _NOTHING)),
]
ReviewFile = Annotated[
    Path | None,
    _option("With --data: people's decisions (review.csv), which win.", _may_be(_FILE)),
]
Port = Annotated[
    int, typer.Option(help="Port on this machine, 0 for a free one.", callback=_at_least(0))
]
OtherPartitions = Annotated[
    list[str] | None,
    _option(
        "Partition of another method on the same labels, as METHOD=FILE; repeat.", name="--other"
    ),
]
SideInputs = Annotated[
    list[str] | None,
    _option("A further file that the method reads, as NAME=FILE; repeat.", name="--side-input"),
]


def named_files(options: list[str] | None) -> dict[str, Path]:
    """Turn ``NAME=FILE`` options of ``--side-input`` into a mapping of existing files."""
    return _named("--side-input", options, SIDE_INPUTS)


def method_files(options: list[str] | None) -> dict[str, Path]:
    """Turn ``METHOD=FILE`` options of ``--other`` into a mapping of existing files."""
    return _named("--other", options, METHOD_NAMES)


def _named(option: str, values: list[str] | None, known: Iterable[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for value in values or []:
        name, separator, path = value.partition("=")
        if not separator or name not in known:
            raise FercleanError(f"{option} must be NAME=FILE, NAME one of: {', '.join(known)}")
        if _what_is_at(Path(path)) != _FILE:
            raise FercleanError(f"{option} {name}: there is no file {path}")
        found[name] = Path(path)
    return found
