"""Fixtures of the command-line tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ferclean.cli.app import main
from ferclean.config.sections import SECTIONS


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a params.yaml of defaults, a FILE and a FOLDER, both empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "params.yaml").write_text("".join(f"{name}: {{}}\n" for name in SECTIONS))
    (tmp_path / "FILE").touch()
    (tmp_path / "FOLDER").mkdir()
    return tmp_path


@pytest.fixture
def ferclean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Call the command line; gives exit code, standard output and standard error."""

    def call(*given: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ferclean", *given])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return call
