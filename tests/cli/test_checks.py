"""``ferclean doctor``."""

from __future__ import annotations

import re
import sys
import tomllib
import types
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ferclean.cli import checks
from ferclean.cli.app import app
from ferclean.cli.checks import (
    PACKAGES,
    Check,
    Package,
    all_checks,
    check_disk,
    check_machine,
    check_package,
    check_params,
    check_python,
    check_torch,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these packages are installed."""

    def pretend(**versions: str) -> None:
        def version(name: str) -> str:
            if name not in versions:
                raise PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(checks, "version", version)

    return pretend


@pytest.fixture
def fake_torch(monkeypatch):
    """Pretend a torch with so many GPUs."""

    def pretend(gpus: int) -> None:
        gpu = types.SimpleNamespace(name="GPU [x]", total_memory=16 * 2**30)
        cuda = types.SimpleNamespace(
            is_available=lambda: gpus > 0,
            device_count=lambda: gpus,
            get_device_properties=lambda index: gpu,
        )
        torch = types.SimpleNamespace(cuda=cuda, version=types.SimpleNamespace(cuda="13.0"))
        monkeypatch.setitem(sys.modules, "torch", torch)
        monkeypatch.setitem(sys.modules, "torchvision", types.SimpleNamespace())

    return pretend


def test_packages_are_those_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    declared = [(line, False) for line in project["dependencies"]]
    used = (part for part in optional if part not in ("dev", "docs"))
    declared += [(line, True) for part in used for line in optional[part]]
    expected = []
    for line, is_optional in declared:
        name, operator, bound = re.fullmatch(r"([\w-]+)(?:(>=|==)([\d.]+))?", line).groups()
        least = tuple(map(int, bound.split("."))) if bound else ()
        expected.append((name, least, operator == "==", is_optional))
    assert [(p.name, p.least, p.exact, p.part is not None) for p in PACKAGES] == expected


@pytest.mark.parametrize(
    ("found", "fits"),
    [("2.10.0", True), ("2.9.1", False), ("2.15", True), ("2.11.0a0+git1.3", True), ("3", True)],
)
def test_versions_are_compared_as_numbers(installed, found, fits):
    installed(torch=found)
    check = check_package(Package("torch", least=(2, 10)))
    assert (check.status == "ok") == fits
    assert found in check.found


def test_an_exact_version_must_be_that_one(installed):
    package = Package("facenet-pytorch", "align", least=(2, 5, 3), exact=True)
    installed(**{"facenet-pytorch": "2.5.3"})
    assert check_package(package).status == "ok"
    installed(**{"facenet-pytorch": "2.6.0"})
    check = check_package(package)
    assert check.status == "note"
    assert "2.6.0 does not fit" in check.found
    assert "pip install 'facenet-pytorch==2.5.3'" in check.found


def test_a_missing_package_says_what_does_not_work(installed):
    installed()
    needed = check_package(Package("torch", least=(2, 10)))
    assert needed == Check(
        "missing", "torch", "not installed, nothing works without it: pip install 'torch>=2.10'"
    )
    optional = check_package(Package("matplotlib", "report"))
    assert optional == Check(
        "note", "matplotlib", "not installed, without it no report: pip install 'matplotlib'"
    )


def test_python_is_checked(monkeypatch):
    assert check_python().status == "ok"
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))
    check = check_python()
    assert check.status == "missing"
    assert "3.11 is needed" in check.found


def test_gpus_are_shown(fake_torch):
    fake_torch(2)
    assert check_torch() == Check("ok", "torch runs", "on 2 x GPU [x] (16 GiB, CUDA 13.0)")


def test_a_gpu_that_torch_cannot_use_is_noted(fake_torch, monkeypatch):
    fake_torch(0)
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert check_torch() == Check("ok", "torch runs", "on the CPU: no GPU here")
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/nvidiactl")
    assert check_torch().status == "note"


def test_a_torch_that_does_not_import_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    check = check_torch()
    assert check.status == "missing"
    assert "do not import together" in check.found


def test_little_memory_is_noted(monkeypatch):
    assert re.search(r"^\d+ cores", check_machine().found)
    monkeypatch.setattr(checks, "usable_memory", lambda: 2 * 2**30)
    assert check_machine().status == "note"
    monkeypatch.setattr(checks, "usable_memory", lambda: None)
    assert "memory unknown" in check_machine().found


def test_disk_is_checked(tmp_path, monkeypatch):
    assert check_disk(tmp_path).status in ("ok", "note")
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=1))
    assert check_disk(tmp_path).status == "note"
    monkeypatch.setattr(checks.os, "access", lambda folder, mode: False)
    assert check_disk(tmp_path).status == "missing"


def params(tmp_path: Path, text: str) -> list[Check]:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return check_params(path)


def test_settings_are_checked(tmp_path):
    assert [check.status for check in params(tmp_path, "grid: {}")] == ["ok"]
    (wrong,) = params(tmp_path, "grid: {seed: 1}")
    assert wrong.status == "missing"
    assert "did you mean 'seeds'?" in wrong.found
    (absent,) = check_params(tmp_path / "absent.yaml")
    assert absent.status == "missing"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("data: {{source: table, path: '{path}'}}", "data.path"),
        ("data: {{source: fer2013_csv, path: '{there}', votes_path: '{path}'}}", "data.votes_path"),
        ("grid: {{noise: file}}\nnoise: {{file: '{path}'}}", "noise.file"),
        ("review: {{path: '{path}'}}", "review.path"),
        ("semantics: {{source: corpus, path: '{path}'}}", "semantics.path"),
        ("model: {{weights: '{path}'}}", "model.weights"),
    ],
)
def test_files_that_the_settings_name_must_be_there(tmp_path, text, key):
    there, absent = tmp_path / "there", tmp_path / "absent"
    there.touch()
    found = params(tmp_path, text.format(path=there, there=there))
    assert Check("ok", key, str(there)) in found
    found = params(tmp_path, text.format(path=absent, there=there))
    assert Check("missing", key, f"{absent} does not exist") in found


def test_files_that_nothing_reads_are_not_asked_for(tmp_path):
    text = "data: {path: /absent}\nnoise: {file: /absent}\nsemantics: {path: /absent}"
    assert len(params(tmp_path, text)) == 1


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("note", 0), ("missing", 1)])
def test_exit_code_says_whether_something_needed_is_missing(monkeypatch, status, code):
    monkeypatch.setattr(checks, "all_checks", lambda path: [Check(status, "thing", "[bold]found")])
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == code
    assert "[bold]found" in result.output


def test_the_whole_doctor_runs_here(fake_torch):
    fake_torch(0)
    found = all_checks(ROOT / "params.yaml")
    assert [check.name for check in found[:2]] == ["Python", "torch"]
    assert {check.name for check in found} >= {"torch runs", "cores, memory", "disk", "settings"}
    assert found[-1].status == "ok"
