"""Coverage-guided fuzzing of every parser, with a fixed number of inputs and a fixed seed.

Only an error for the user may come out, or a result of which everything adds up (``targets``).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ferclean.errors import FercleanError
from fuzz.targets import TARGETS

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parents[1]
needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed (it has wheels for Python 3.11 to 3.13 on Linux x86-64 only)",
)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, as atheris hooks the interpreter and ends it."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


@needs_atheris
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_an_error_for_the_user_or_a_result_comes_out(name, tmp_path):
    done = python(tmp_path, "-m", "fuzz.run", name)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {TARGETS[name].runs} runs" in done.stderr, done.stderr[-3000:]


@needs_atheris
def test_a_finding_is_found(tmp_path):
    code = (
        "from fuzz import run, targets\n"
        "def broken(data, folder):\n"
        "    if b'4' in data: raise KeyError('found')\n"
        "run.TARGETS['broken'] = targets.Target(broken, lambda: [b'0123'], 100_000, 8)\n"
        "run.main('broken')"
    )
    done = python(tmp_path, "-c", code)
    assert done.returncode != 0 and "KeyError: 'found'" in done.stdout + done.stderr
    assert list(tmp_path.glob("crash-*"))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", TARGETS)
def test_the_search_starts_from_inputs_that_are_read_and_some_that_are_refused(name, tmp_path):
    read = 0
    for data in TARGETS[name].seeds():
        try:
            TARGETS[name].run(data, tmp_path)
            read += 1
        except FercleanError as error:
            assert str(error)
    assert read
