"""Fixtures that all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is up to the machine and its load, and no property of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
# One process a core: more threads would only get in each other's way.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data_dir() -> Path:
    """Folder with FER2013/FER+ and photographs; tests that need it are skipped without it."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("FERCLEAN_SHARED_DATA", root / ".." / "shared" / "data"))
    if not (folder / "fer2013plus.parquet").is_file():
        pytest.skip(f"the FER2013/FER+ data is not at {folder} (set FERCLEAN_SHARED_DATA)")
    return folder


@pytest.fixture
def ferclean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Call the command line; gives exit code, standard output and standard error."""
    from ferclean.cli.app import main

    def call(*given: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ferclean", *given])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return call
