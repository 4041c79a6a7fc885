"""What ``ferclean doctor`` looks at; every check is a function that returns lines of a table."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from ferclean.config.data import PUBLISHED_SOURCES, DataSettings
from ferclean.config.load import Settings, load_settings
from ferclean.config.runs import runs_of
from ferclean.errors import FercleanError
from ferclean.machine import usable_cores, usable_memory

GIB = 2**30
# Rules ask for 6000 MB (workflow/rules), a run of the default data set leaves well under 1 GiB.
LEAST_MEMORY = 6 * 10**9
LEAST_DISK = 2 * GIB
LEAST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """One line of the table.

    Attributes
    ----------
    status : {"ok", "note", "missing"}
        ``missing`` is something that every run needs; a ``note`` limits some of them.
    name : str
        What was looked at.
    found : str
        What was found, and the way out where it is not right.
    """

    status: Literal["ok", "note", "missing"]
    name: str
    found: str


@dataclass(frozen=True)
class Package:
    """A package ferclean uses.

    Attributes
    ----------
    name : str
        Its name for pip.
    part : str or None
        What does not work without it; ``None`` if nothing does.
    least : tuple of int
        Oldest version that works.
    exact : bool
        Only that version is known to work.
    """

    name: str
    part: str | None = None
    least: tuple[int, ...] = ()
    exact: bool = False


# The same list as in pyproject.toml; a test holds the two together.
PACKAGES = (
    Package("torch", least=(2, 10)),
    Package("torchvision"),
    Package("numpy", least=(2, 0)),
    Package("scipy"),
    Package("pandas"),
    Package("pyarrow"),
    Package("scikit-learn"),
    Package("Pillow"),
    Package("PyYAML"),
    Package("rich"),
    Package("typer"),
    Package("snakemake", "the workflow (snakemake, dvc repro)", least=(9, 19)),
    Package("snakemake-executor-plugin-slurm", "the workflow on SLURM", least=(2, 8)),
    Package("dvc", "dvc repro", least=(3, 67)),
    Package(
        "faiss-cpu",
        "neighbours (ssr, ldl_alsg) among more than 100,000 rows without a GPU",
        least=(1, 10),
    ),
    Package("facenet-pytorch", "align with detector mtcnn", least=(2, 5, 3), exact=True),
    Package("gensim", "word-vectors", least=(4, 4)),
    Package("matplotlib", "word-vectors, report"),
    Package("Jinja2", "report"),
    Package("safetensors", "export-model, predict with what it wrote", least=(0, 5)),
    Package("onnx", "export-model --onnx", least=(1, 17)),
    Package("onnxscript", "export-model --onnx", least=(0, 5)),
)


def all_checks(params: Path) -> list[Check]:
    """Look at everything.

    Parameters
    ----------
    params : Path
        The settings file.

    Returns
    -------
    list of Check
        Machine first, settings last.
    """
    return [
        check_python(),
        *(check_package(package) for package in PACKAGES),
        check_torch(),
        check_machine(),
        check_disk(Path.cwd()),
        *check_params(params),
    ]


def check_python() -> Check:
    """Check the version of Python."""
    right = sys.version_info[:2] >= LEAST_PYTHON
    return Check(
        "ok" if right else "missing",
        "Python",
        platform.python_version() + ("" if right else f"; {_dotted(LEAST_PYTHON)} is needed"),
    )


def check_package(package: Package) -> Check:
    """Check that a package is there in a version that works, without importing it."""
    try:
        found = version(package.name)
    except PackageNotFoundError:
        found = None
    if found is not None and _fits(found, package):
        return Check("ok", package.name, found)
    wanted = f"{package.name}{'==' if package.exact else '>='}{_dotted(package.least)}"
    way_out = f"pip install '{wanted if package.least else package.name}'"
    loss = f"without it no {package.part}" if package.part else "nothing works without it"
    state = f"{found} does not fit" if found else "not installed"
    return Check("note" if package.part else "missing", package.name, f"{state}, {loss}: {way_out}")


def _fits(found: str, package: Package) -> bool:
    numbers = tuple(int(number) for number in re.findall(r"\d+", found.split("+")[0])[:3])
    return numbers == package.least if package.exact else numbers >= package.least


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def check_torch() -> Check:
    """Import torch and torchvision together and look for a GPU."""
    name = "torch runs"
    try:
        import torch
        import torchvision  # noqa: F401  (fails when the two do not belong together)
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        return Check("missing", name, f"torch and torchvision do not import together: {reason}")
    if torch.cuda.is_available():
        gpu, count = torch.cuda.get_device_properties(0), torch.cuda.device_count()
        memory = f"{gpu.total_memory / GIB:.0f} GiB, CUDA {torch.version.cuda}"
        return Check("ok", name, f"on {count} x {gpu.name} ({memory})")
    if Path("/dev/nvidiactl").exists():
        return Check("note", name, "on the CPU: there is a GPU, but this torch cannot use it")
    return Check("ok", name, "on the CPU: no GPU here")


def check_machine() -> Check:
    """Count the cores and the memory this process may use."""
    cores, memory = usable_cores(), usable_memory()
    if memory is None:
        return Check("ok", "cores, memory", f"{cores} cores, memory unknown")
    enough = memory >= LEAST_MEMORY
    advice = "" if enough else "; training jobs ask for 6 GB, smaller data sets take less"
    found = f"{cores} cores, {memory / GIB:.1f} GiB{advice}"
    return Check("ok" if enough else "note", "cores, memory", found)


def check_disk(folder: Path) -> Check:
    """Check that results can be written below a folder."""
    if not os.access(folder, os.W_OK):
        return Check("missing", "disk", f"{folder} is read-only; results/ cannot be written")
    free = shutil.disk_usage(folder).free
    advice = "" if free >= LEAST_DISK else "; results may not fit"
    return Check("note" if advice else "ok", "disk", f"{free / GIB:.1f} GiB free{advice}")


def check_params(params: Path) -> list[Check]:
    """Check the settings and that the files they name are there."""
    try:
        settings = load_settings(params)
    except FercleanError as error:
        return [Check("missing", "settings", str(error))]
    runs = runs_of(settings)
    return [Check("ok", "settings", f"{params.name} is valid, {len(runs)} runs"), *_files(settings)]


def _files(settings: Settings) -> list[Check]:
    data, semantics = settings.data, settings.semantics
    named = {
        "data.path": data.path if data.source != "rendered" else None,
        "data.labels_path": data.labels_path,
        "data.votes_path": data.votes_path if data.source == "fer2013_csv" else None,
        "noise.file": settings.noise.file if "file" in settings.grid.noise else None,
        "review.path": settings.review.path,
        "semantics.path": semantics.path if semantics.source in ("file", "corpus") else None,
        "model.weights": settings.model.weights,
    }
    found = [_file(key, Path(path)) for key, path in named.items() if path is not None]
    return found if any(check.status == "missing" for check in found) else [*found, *_rows(data)]


def _rows(data: DataSettings) -> list[Check]:
    """Hold a published set against what is published of it."""
    if data.source not in PUBLISHED_SOURCES:
        return []
    from ferclean.steps.check_data import check_settings

    return [Check(each.status, each.name, each.found) for each in check_settings(data)]


def _file(key: str, path: Path) -> Check:
    if path.exists() and os.access(path, os.R_OK):
        return Check("ok", key, str(path))
    state = "is not readable" if path.exists() else "does not exist"
    return Check("missing", key, f"{path} {state}")
