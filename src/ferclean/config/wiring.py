"""What the workflow's rules ask of the package: a step's settings and sources.

``dvc.yaml`` names the same things by hand; a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ferclean.config.sections import SECTIONS
from ferclean.config.steps import STEP_SECTIONS

# Plumbing (cli, errors, machine, progress, threads, the loader of settings) is left out on purpose:
# it moves files, arguments and messages and cannot change a result, so editing it reruns nothing.
_JUDGING = (
    "audit/auditor.py",
    "audit/calibration.py",
    "audit/cut_off.py",
    "audit/disagreement.py",
    "audit/posterior.py",
    "audit/translation.py",
)
_LOOKING = (
    *_JUDGING,
    "faces/detect.py",
    "faces/template.py",
    "losses",
    "methods",
    "models",
    "partition",
    "relabel",
    "semantics/table.py",
    "steps/side_inputs.py",
    "steps/training_inputs.py",
    "steps/training_rows.py",
    "tables",
    "train",
)
_TRAINING = (
    *_LOOKING,
    "steps/resume.py",
    "steps/resume_path.py",
    "steps/training_outputs.py",
)
STEP_SOURCES: dict[str, tuple[str, ...]] = {
    "ingest": ("datasets", "tables"),
    "align": ("datasets", "faces", "tables"),
    "inject-noise": ("noise", "tables"),
    "word-vectors": ("semantics", "tables"),
    "semantic-embedding": (
        "losses/embedding.py",
        "models",
        "partition/class_relations.py",
        "partition/vectors.py",
        "semantics/table.py",
        "steps/resume_path.py",
        "steps/training_rows.py",
        "tables",
        "train",
    ),
    "pretrain": _TRAINING,
    "partition": (*_LOOKING, "steps/relabelling.py"),
    "train": (*_TRAINING, "steps/relabelling.py"),
    "audit-run": (
        *_LOOKING,
        "audit",
        "evaluate/distributions.py",
        "evaluate/truth.py",
        "report",
        "steps/audit.py",
        "steps/review_page.py",
    ),
    "evaluate": ("evaluate", "partition/entropy.py", "steps/predictions.py", "tables"),
    "summarise": ("evaluate", "tables"),
    "report": (
        "evaluate/distributions.py",
        "evaluate/truth.py",
        "partition/entropy.py",
        "report",
        "steps/summarised_runs.py",
        "tables",
    ),
    "cards": (
        "datasets",
        "evaluate/distributions.py",
        "evaluate/truth.py",
        "partition/entropy.py",
        "report",
        "steps/summarised_runs.py",
        "tables",
    ),
}
# Steps that read some keys of a section, not all of it.
_STEP_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "word-vectors": {"data": ("classes",)},
    "semantic-embedding": {
        "training": (
            "normalise_mean",
            "normalise_scale",
            "precision",
            "pictures",
            "decode",
            "cpu_threads",
            "deterministic",
            "augment",
        )
    },
}


def step_params(raw: Mapping[str, Any], step: str, method: str | None = None) -> str:
    """Cut out of params.yaml what one step depends on, as JSON for ``--params``.

    The raw values are passed, without defaults: an edit of the file is then the same edit to
    Snakemake and to DVC.

    Parameters
    ----------
    raw : mapping
        Parsed params.yaml.
    step : str
        A key of :data:`~ferclean.config.steps.STEP_SECTIONS`.
    method : str, optional
        For steps that read ``methods``: the one method whose entry is passed.

    Returns
    -------
    str
        JSON with sorted keys; each section of the step is present.
    """
    chosen = {name: dict(raw.get(name) or {}) for name in STEP_SECTIONS[step]}
    keep = dict(_STEP_KEYS.get(step, {}))
    if method is not None and "methods" in chosen:
        keep["methods"] = (method,)
    for section, keys in keep.items():
        chosen[section] = {key: chosen[section][key] for key in keys if key in chosen[section]}
    return json.dumps(chosen, sort_keys=True)


def sources_of(step: str, root: str | Path = "src/ferclean") -> list[str]:
    """List the source files that decide what a step computes.

    Parameters
    ----------
    step : str
        A key of :data:`STEP_SOURCES`.
    root : str or Path
        Folder of the package.

    Returns
    -------
    list of str
        Sorted paths below `root`: the step's own module, the settings it reads, and every file
        (code and data) of its packages.
    """
    root = Path(root)
    modules = {SECTIONS[name].__module__.rpartition(".")[2] for name in STEP_SECTIONS[step]}
    packages = [f"config/{name}" for name in modules if (root / "config" / name).is_dir()]
    files = {root / "steps" / f"{step.replace('-', '_')}.py"}
    files |= {root / "config" / f"{m}.py" for m in modules if f"config/{m}" not in packages}
    for name in (*packages, *STEP_SOURCES[step]):
        found = (root / name).rglob("*") if (root / name).is_dir() else [root / name]
        files |= {path for path in found if _is_source(path)}
    return sorted(str(path) for path in files)


@cache
def code_digest(step: str, root: str | Path = "src/ferclean") -> str:
    """Return what changes when the source of a step changes.

    Rules carry it among their parameters. Files among their inputs would do the same, but
    Snakemake would look at up to 140 of them for every job: minutes for a grid of 1,000 runs.

    Parameters
    ----------
    step : str
        A key of :data:`STEP_SOURCES`.
    root : str or Path
        Folder of the package.

    Returns
    -------
    str
        16 hexadecimal digits of the SHA-256 over names and contents of :func:`sources_of`.
    """
    digest = sha256()
    for file in sources_of(step, root):
        name = Path(file).relative_to(root).as_posix()
        digest.update(f"{name}\0{sha256(Path(file).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
