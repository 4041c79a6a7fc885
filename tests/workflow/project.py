"""A copy of the project in its own git repository, and the tools run inside it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests" / "fixtures" / "params_tiny.yaml"
FOLDERS = (".dvc", "data", "profiles", "src", "workflow")
FILES = (".dvcignore", ".gitignore", "Snakefile", "dvc.yaml")
# This interpreter's tools come first.
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
# Byte code, a developer's own data, and DVC's cache and locks are not part of the project.
NOT_COPIED = ("__pycache__", "*.egg-info", "cache", "tmp", "config.local")


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Lay `changes` over `base`, mappings key by key and everything else as a whole."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged


def tiny_params() -> dict[str, Any]:
    """All keys of params.yaml, with the values of the tiny fixture."""
    read = [yaml.safe_load(path.read_text()) for path in (ROOT / "params.yaml", TINY)]
    return merge(*read)


class Project:
    """One working copy. `scratch` holds whatever the tools would leave in a home folder."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self.path = path
        self.scratch = scratch
        self.extra: dict[str, str] = {}

    @classmethod
    def create(cls, path: Path, scratch: Path) -> Project:
        """Copy the project's files, give it the tiny settings and commit."""
        path.mkdir(parents=True)
        ignore = shutil.ignore_patterns(*NOT_COPIED)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, path / name, ignore=ignore)
        for file in (path / "data").rglob("*"):
            if file.is_file() and file.name not in (".gitignore", ".gitkeep", "README.md"):
                file.unlink()
        for name in FILES:
            shutil.copy2(ROOT / name, path / name)
        project = cls(path, scratch)
        project.write_params(tiny_params())
        project.git("init", "--quiet", "--initial-branch", "main")
        project.add_raw_data()
        project.commit("the project")
        return project

    def add_raw_data(self) -> None:
        """Put a file of the user's into each folder of ``data``, under DVC's care."""
        files = [
            f"data/{folder}/other" for folder in ("raw", "noise", "review", "words", "weights")
        ]
        for file in files:
            (self.path / file).write_text(f"{file}\n")
        self.dvc("add", "--quiet", *files)

    def copy(self, path: Path) -> Project:
        """Copy everything, results and the tools' records included, with its dates."""
        subprocess.run(["cp", "-a", str(self.path), str(path)], check=True)
        return Project(path, self.scratch)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the developer's own settings, no GPU, and this interpreter's tools."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "DVC_"))}
        kept.pop("PYTHONPATH", None)
        identity = {"NAME": "Tester", "EMAIL": "tester@example.org"}
        who = {f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER") for k, v in identity.items()}
        return {
            **kept,
            **who,
            "PATH": TOOLS,
            "FERCLEAN_DEVICE": "cpu",
            "XDG_CACHE_HOME": str(self.scratch / "cache"),
            "DVC_SITE_CACHE_DIR": str(self.scratch / "dvc-site-cache"),
            "DVC_GLOBAL_CONFIG_DIR": str(self.scratch / "dvc-global"),
            "DVC_SYSTEM_CONFIG_DIR": str(self.scratch / "dvc-system"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **self.extra,
        }

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command here and return what it printed; `fails` says what is expected."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert (done.returncode != 0) == fails, f"{' '.join(command)}\n{done.stdout[-8000:]}"
        return done.stdout

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        return self.run("dvc", *arguments)

    def snakemake(self, *arguments: str) -> str:
        return self.run("snakemake", "--cores", "2", "--resources", "gpu=1", *arguments)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def read_params(self) -> dict[str, Any]:
        return yaml.safe_load((self.path / "params.yaml").read_text())

    def write_params(self, params: dict[str, Any]) -> None:
        (self.path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def change_params(self, changes: dict[str, Any]) -> None:
        self.write_params(merge(self.read_params(), changes))

    def results(self) -> Iterator[Path]:
        """Yield every result file, without logs, as a path below the project."""
        for file in sorted((self.path / "results").rglob("*")):
            below = file.relative_to(self.path)
            # Snakemake marks folders that are outputs with an empty file.
            if file.is_file() and "logs" not in below.parts and file.name != ".snakemake_timestamp":
                yield below

    def digests(self) -> dict[str, str]:
        """Digest of every result that must be the same each time: all but wall-clock times."""
        return {
            str(file): hashlib.sha256(_without_clocks(self.path / file)).hexdigest()
            for file in self.results()
            if file.name != "timing.csv"
        }

    def has_nothing_to_do(self) -> bool:
        return "Nothing to be done" in self.snakemake("--dry-run")

    def is_clean_for_dvc(self) -> bool:
        return "up to date" in self.dvc("status")


def _without_clocks(file: Path) -> bytes:
    """Read a result; the report's section about costs is cut out."""
    content = file.read_bytes()
    if file.parts[-2:] == ("report", "index.html"):
        content, sections = re.subn(rb'<section id="cost">.*?</section>', b"", content, flags=re.S)
        assert sections == 1
    return content
