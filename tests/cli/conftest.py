"""Fixtures of the command-line tests."""

from __future__ import annotations

from pathlib import Path

import pytest

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
