"""docs/add_a_method.md works: its blocks go into a copy of the project, and the method runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.pages import code_blocks

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = code_blocks(ROOT / "docs" / "add_a_method.md")
COPIED = ("src", "tests", "docs", "README.md", "pyproject.toml")


def insert_lines(text: str, diff: str) -> str:
    """Put a diff's ``+`` lines below its context, which must stand exactly once in the text."""
    for part in diff.split("@@\n"):
        context = "".join(line[1:] for line in part.splitlines(True) if line[0] == " ")
        new = "".join(line[1:] for line in part.splitlines(True) if line[0] == "+")
        assert context and new and text.count(context) == 1, context
        text = text.replace(context, context + new)
    return text


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Copy the project and do what the page says."""
    root = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source, ignored = ROOT / name, shutil.ignore_patterns("__pycache__", "*.egg-info")
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / name, **({"ignore": ignored} if source.is_dir() else {}))
    for language, title, text in BLOCKS:
        if title:
            place = root / title
            assert place.exists() == (language == "diff"), title
            place.write_text(insert_lines(place.read_text(), text) if language == "diff" else text)
    return root


def run(project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_pages_commands_write_the_reference_and_pass_the_tests(project):
    (commands,) = (text for language, _, text in BLOCKS if language == "sh")
    lines = [shlex.split(line) for line in commands.splitlines()]
    reference, tests = lines
    run(project, *reference)
    assert "`gce.exponent`" in (project / "docs" / "params.md").read_text()
    output = run(project, *tests, "-p", "no:cacheprovider")
    # Its own 5, registry and settings 2, laws 4, the page of methods 3.
    assert int(re.search(r"(\d+) passed", output).group(1)) >= 14, output


def test_the_new_files_pass_the_linter(project):
    pytest.importorskip("ruff", reason="ruff is not installed")
    new = [title for language, title, _ in BLOCKS if language == "python"]
    run(project, "ruff", "check", "--no-cache", *new)
    run(project, "ruff", "format", "--no-cache", "--check", *new)


def test_context_that_is_missing_or_doubled_is_noticed():
    assert insert_lines("a\nb\n", " a\n+c\n") == "a\nc\nb\n"
    for text in ("b\n", "a\na\n"):
        with pytest.raises(AssertionError):
            insert_lines(text, " a\n+c\n")
