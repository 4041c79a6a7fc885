"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
