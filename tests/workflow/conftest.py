"""The finished workflow is made once, by ``dvc repro``; tests work on copies of it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from workflow.project import Project


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workflow")


@pytest.fixture(scope="session")
def fresh(scratch: Path) -> Project:
    """The project as it is cloned: no results."""
    return Project.create(scratch / "fresh", scratch)


@pytest.fixture(scope="session")
def finished(fresh: Project, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """After ``dvc repro``, committed, its data pushed to a local remote. Copy it before edits.

    Of several pytest processes, the first makes it in the folder that they share. The others wait.
    """
    folder = tmp_path_factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "finished"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            run_by_dvc(fresh.copy(scratch / "by-dvc")).copy(shared)
    return Project(shared, scratch).copy(scratch / "finished")


def run_by_dvc(project: Project) -> Project:
    project.dvc("repro")
    project.dvc("remote", "add", "--default", "store", str(project.scratch / "store"))
    project.commit("first results")
    project.dvc("push", "--run-cache")
    return project


@pytest.fixture()
def copy_of_finished(finished: Project, tmp_path: Path) -> Project:
    return finished.copy(tmp_path / "project")
