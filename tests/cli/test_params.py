"""``ferclean params``."""

from __future__ import annotations

import pytest
import yaml
from typer.testing import CliRunner

from ferclean.cli.app import app
from ferclean.cli.params import preset_text
from ferclean.config.presets import load_preset, preset_names
from ferclean.config.reference import methods_shown
from ferclean.errors import FercleanError


def call(*given: object):
    return CliRunner().invoke(app, ["params", *map(str, given)])


def test_check_lists_the_runs_of_a_good_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("grid: {methods: smr, controls: [], seeds: [0, 1], rates: [0.2]}")
    result = call("--check", path)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{path}: valid, 2 runs", "  symmetric-0.2-seed0/smr", "  symmetric-0.2-seed1/smr",
    ]  # fmt: skip


def test_check_takes_a_path_and_never_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "{x}.yaml").write_text("grid: {controls: []}")
    assert "valid, 1 run\n" in call("--check", "{x}.yaml").output


def test_check_names_what_is_wrong(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("grid: {seed: 1}")
    error = call("--check", path).exception
    assert isinstance(error, FercleanError)
    assert "mine.yaml: unknown key in grid 'seed'; did you mean 'seeds'?" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_printed_whole(name):
    result = call("--preset", name)
    assert result.exit_code == 0
    values = load_preset(name)
    assert yaml.safe_load(result.stdout) == {**values, "methods": methods_shown(values)}
    assert result.stdout == preset_text(name)


def test_a_preset_is_written_to_a_file_that_checks(tmp_path):
    path = tmp_path / "new" / "params.yaml"
    assert call("--preset", "smr_cifar10_sym90", "--out", path).exit_code == 0
    assert path.read_text(encoding="utf-8") == preset_text("smr_cifar10_sym90")
    assert "symmetric_inclusive-0.9-seed0/smr" in call("--check", path).output


def test_an_edited_file_is_kept_beside_the_preset_that_replaces_it(tmp_path):
    path, kept = tmp_path / "params.yaml", tmp_path / "params.yaml.old"
    path.write_text("my: edits", encoding="utf-8")
    said = call("--preset", "fer", "--out", path).stderr
    assert f"what stood there is kept as {kept}" in said
    assert kept.read_text(encoding="utf-8") == "my: edits"
    assert path.read_text(encoding="utf-8") == preset_text("fer")
    # The preset itself, written once more, must not push the edits out of the copy.
    assert "is kept as" not in call("--preset", "fer", "--out", path).stderr
    assert kept.read_text(encoding="utf-8") == "my: edits"


def test_list_names_every_preset_in_a_line():
    lines = call("--list").output.splitlines()
    assert [line.split()[0] for line in lines] == preset_names()


def test_reference_is_markdown(tmp_path):
    path = tmp_path / "params.md"
    printed = call("--reference").stdout
    assert call("--reference", "--out", path).exit_code == 0
    assert path.read_text(encoding="utf-8") == printed
    assert printed.startswith("# params.yaml\n")
    assert all(f"| `{name}` |" in printed for name in preset_names())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "give exactly one of"),
        (("--list", "--reference"), "give exactly one of"),
        (("--check", "a", "--preset", "fer"), "give exactly one of"),
        (("--list", "--out", "x"), "--out goes with --preset and --reference only"),
        (("--check", "a", "--out", "x"), "--out goes with --preset and --reference only"),
        (("--preset", "smr_cifar"), "unknown preset 'smr_cifar'; did you mean"),
        (("--check", "absent.yaml"), "params file not found"),
    ],
)
def test_a_mistake_is_a_sentence(given, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = call(*given).exception
    assert isinstance(error, FercleanError)
    assert sentence in str(error)
    assert list(tmp_path.iterdir()) == []
