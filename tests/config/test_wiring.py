"""Settings and sources that the rules pass on: held against the code that uses them."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ferclean.config.load import build_settings
from ferclean.config.methods import METHOD_NAMES, recipe_of
from ferclean.config.steps import STEP_SECTIONS
from ferclean.config.wiring import (
    STEP_SOURCES,
    code_digest,
    sources_of,
    step_params,
)

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "ferclean"
RAW = {
    "data": {"classes": ["a", "b"], "seed": 3, "source": "rendered"},
    "align": {"size": 64},
    "semantics": {"dimensions": 5},
    "methods": {"smr": {"alpha": 2.0}, "cross_entropy": {}},
    "report": None,
}


def module_file(name: str) -> Path | None:
    """File of ``ferclean.x.y``, or None for anything that is not a module."""
    path = PACKAGE.joinpath(*name.split(".")[1:])
    if path.is_dir():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


def imported_modules(file: Path) -> set[Path]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ferclean"):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("ferclean.")}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A registry names its entries as "module:attribute" and imports the one it needs.
            named = re.fullmatch(r"(ferclean(?:\.\w+)+):\w+", node.value)
            names |= {named[1]} if named else set()
    if file == PACKAGE / "methods" / "registry.py":
        recipes = [recipe_of(name).partition(":")[0] for name in METHOD_NAMES]
        names |= {f"ferclean.methods.{module}" for module in recipes}
    return {file for name in names if (file := module_file(name)) is not None}


def closure(file: Path) -> set[Path]:
    seen, waiting = set(), {file}
    while waiting:
        seen |= waiting
        waiting = set().union(*map(imported_modules, waiting)) - seen
    return seen


def is_plumbing(file: Path) -> bool:
    top = file.relative_to(PACKAGE).parts[0]
    modules = ("errors.py", "machine.py", "progress.py", "threads.py", "__init__.py")
    return top in ("cli", "config", *modules) or file == PACKAGE / "steps" / "__init__.py"


@pytest.mark.parametrize("step", STEP_SECTIONS)
def test_sources_hold_all_that_a_step_imports_and_no_unused_package(step):
    own = PACKAGE / "steps" / f"{step.replace('-', '_')}.py"
    needed = {file for file in closure(own) if not is_plumbing(file)}
    listed = {Path(file) for file in sources_of(step, PACKAGE)}
    assert needed - listed == set()
    for name in STEP_SOURCES[step]:
        assert any(file.is_relative_to(PACKAGE / name) for file in needed), name


def test_sources_hold_data_and_nested_files_but_no_byte_code(tmp_path):
    for name in ("semantics/a.py", "semantics/deep/b.csv", "tables/c.py", "noise/d.py",
                 "semantics/__pycache__/a.pyc", "semantics/.hidden"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    below = [str(Path(f).relative_to(tmp_path)) for f in sources_of("word-vectors", tmp_path)]
    assert below == [
        "config/data.py",
        "config/semantics.py",
        "semantics/a.py",
        "semantics/deep/b.csv",
        "steps/word_vectors.py",
        "tables/c.py",
    ]


def test_the_digest_follows_names_and_contents_of_the_sources_alone(tmp_path):
    found = []
    for number, (name, text) in enumerate(
        [("a.py", "x"), ("a.py", "y"), ("b.py", "x"), ("a.py", "x")]
    ):
        folder = tmp_path / str(number)
        for file in sources_of("word-vectors", PACKAGE):
            path = folder / Path(file).relative_to(PACKAGE)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        (folder / "semantics" / name).write_text(text)
        (folder / "noise").mkdir()
        (folder / "noise" / f"{number}.py").write_text("read by another step")
        found.append(code_digest("word-vectors", folder))
    assert found[0] == found[3]
    assert len(set(found)) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in found)


@pytest.mark.parametrize("step", STEP_SECTIONS)
def test_params_hold_exactly_the_sections_of_the_step(step):
    text = step_params(RAW, step, "smr")
    assert set(json.loads(text)) == set(STEP_SECTIONS[step])
    build_settings(json.loads(text), STEP_SECTIONS[step])
    assert text == step_params(dict(reversed(RAW.items())), step, "smr")


def test_params_are_the_raw_values_of_that_method_alone():
    assert json.loads(step_params(RAW, "align")) == {
        "data": RAW["data"],
        "align": {"size": 64},
    }
    assert json.loads(step_params(RAW, "train", "smr"))["methods"] == {"smr": {"alpha": 2.0}}
    assert json.loads(step_params(RAW, "train", "oracle_clean"))["methods"] == {}


def test_word_vectors_depend_on_the_classes_and_on_nothing_else_of_the_data():
    before = step_params(RAW, "word-vectors")
    assert json.loads(before) == {"data": {"classes": ["a", "b"]}, "semantics": {"dimensions": 5}}
    assert step_params({**RAW, "data": {**RAW["data"], "seed": 4}}, "word-vectors") == before


def test_the_rules_do_not_pay_for_torch():
    modules = ", ".join(f"ferclean.config.{name}" for name in ("input_files", "runs", "wiring"))
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
