"""The finished workflow is made once, by ``dvc repro``; tests work on copies of it."""

from __future__ import annotations

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
def finished(fresh: Project, scratch: Path) -> Project:
    """After ``dvc repro``, committed, its data pushed to a local remote. Copy it before edits."""
    project = fresh.copy(scratch / "finished")
    project.dvc("repro")
    project.dvc("remote", "add", "--default", "store", str(scratch / "store"))
    project.commit("first results")
    project.dvc("push", "--run-cache")
    return project


@pytest.fixture()
def copy_of_finished(finished: Project, tmp_path: Path) -> Project:
    return finished.copy(tmp_path / "project")
