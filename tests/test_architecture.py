"""The promises of docs/architecture.md: imports run one way, and heavy ones stay where they are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "ferclean"
PARTS = (
    *("datasets", "faces", "noise", "semantics", "models", "losses", "partition", "relabel"),
    *("train", "evaluate", "report", "audit", "predict", "export"),
)
# What each layer may import from; everything may import the foundation.
BELOW = {
    "cli": {"steps", "tables", "config"},
    "steps": {"methods", *PARTS, "tables", "config"},
    "methods": {
        *("losses", "models", "partition", "relabel", "train", "audit"),
        "tables",
        "config",
    },
    **{part: {*PARTS, "tables", "config"} for part in PARTS},
    "tables": set(),
    "config": set(),
}
FOUNDATION = {"errors", "machine", "progress", "threads"}
OPTIONAL = (
    *("facenet_pytorch", "gensim", "matplotlib", "jinja2", "snakemake", "dvc", "ot", "faiss"),
    *("safetensors", "onnx", "onnxscript"),
)


def layer_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else file.stem


def imported_names(file: Path) -> set[str]:
    """Return all that a file imports anywhere in it; of ``from a import b`` a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            parts = (alias.name for alias in node.names if not alias.name.startswith("__"))
            names |= {node.module, *(f"{node.module}.{part}" for part in parts)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def imported_layers(file: Path) -> set[str]:
    names = imported_names(file)
    return {name.split(".")[1] for name in names if name.startswith("ferclean.")}


FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if layer_of(file) in BELOW]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_run_one_way(file):
    layer = layer_of(file)
    assert imported_layers(file) <= BELOW[layer] | FOUNDATION | {layer}


def test_no_file_and_no_function_is_longer_than_a_reader_bears():
    for file in PACKAGE.rglob("*.py"):
        lines = file.read_text().splitlines()
        assert len(lines) <= 300, file
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                first = node.body[0]
                documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                start = first.end_lineno if documented else node.lineno
                assert node.end_lineno - start <= 45, f"{file.name}: {node.name}"


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(PACKAGE.parent), "PATH": "/usr/bin:/bin"},
    )


@pytest.mark.slow
def test_a_training_job_needs_only_what_gpu_images_carry():
    blocked = "\n".join(f"sys.modules[{name!r}] = None" for name in OPTIONAL)
    steps = ("pretrain", "partition", "train", "chain", "evaluate", "inject_noise")
    imports = "\n".join(f"import ferclean.steps.{step}" for step in steps)
    done = run_python(
        f"import sys\n{blocked}\n{imports}\nimport ferclean.cli.app\n"
        "from ferclean.config.methods import METHOD_NAMES, MethodsSettings\n"
        "from ferclean.methods.registry import build_recipe\n"
        "[build_recipe(name, MethodsSettings()) for name in METHOD_NAMES]\n"
        "found = {m.split('.')[0] for m in sys.modules if '.' not in m and sys.modules[m]}\n"
        "from importlib.metadata import packages_distributions\n"
        "print(*sorted(found & set(packages_distributions())))"
    )
    assert done.returncode == 0, done.stderr
    assert "torch" in done.stdout.split()


# The weights of one backbone, and an index for very many rows, come from packages that only their
# users need.
ONLY_FOR_SOME = {
    "models/facenet.py": {"facenet_pytorch"},
    "partition/neighbour_index.py": {"faiss"},
}


def files_that_training_reaches() -> set[Path]:
    """Follow every import, late ones too, from the steps of training and all methods."""
    start = [PACKAGE / "steps" / f"{step}.py" for step in ("pretrain", "partition")]
    waiting = {*start, PACKAGE / "steps" / "train.py", *(PACKAGE / "methods").glob("*.py")}
    reached: set[Path] = {PACKAGE / "cli" / "training.py"}
    while waiting:
        file = waiting.pop()
        reached.add(file)
        for name in imported_names(file):
            place = PACKAGE.parent.joinpath(*name.split("."))
            found = {place.with_suffix(".py"), place / "__init__.py"} - reached
            waiting |= {other for other in found if other.is_file()}
    return reached


@pytest.mark.slow
def test_a_training_job_imports_declared_packages_only():
    project = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text())["project"]
    needed = {re.match(r"[\w-]+", line).group().lower() for line in project["dependencies"]}
    allowed = {
        module
        for module, distributions in packages_distributions().items()
        if {name.lower() for name in distributions} & needed
    }
    assert {"torch", "numpy", "sklearn", "yaml"} <= allowed
    allowed |= {"ferclean", *sys.stdlib_module_names}
    files = files_that_training_reaches()
    assert len(files) > 80
    for file in files:
        also = ONLY_FOR_SOME.get(str(file.relative_to(PACKAGE)), set())
        assert {name.split(".")[0] for name in imported_names(file)} <= allowed | also, file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "light"),
    [
        ("ferclean.cli.app", ("torch", "pandas", "sklearn", "numpy")),
        ("ferclean.config.load", ("torch", "pandas", "sklearn", "numpy")),
        ("ferclean.steps.ingest", ("torch", "sklearn")),
        ("ferclean.steps.inject_noise", ("torch", "sklearn")),
        ("ferclean.steps.evaluate", ("torch",)),
        ("ferclean.tables.partitions", ("torch", "sklearn")),
    ],
)
def test_light_modules_stay_light(module, light):
    done = run_python(f"import sys, {module}\nprint(*[m for m in {light!r} if m in sys.modules])")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
