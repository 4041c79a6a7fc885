"""The sixteen defects of the public SMR code (section 2.6 of the specification), each absent here.

The numbers are the specification's; where another file holds the full test of a part, the test
here only pins the defect down.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ferclean.config.methods.smr import SmrSettings
from ferclean.config.noise import NoiseSettings
from ferclean.config.presets import load_preset, preset_names
from ferclean.config.sections import SECTIONS
from ferclean.config.training import ModelSettings, OptimizerSettings, TrainingSettings
from ferclean.errors import FercleanError
from ferclean.evaluate.classification import confusion_counts
from ferclean.evaluate.curves import reported_metrics
from ferclean.methods.base import Context
from ferclean.methods.cross_entropy import CrossEntropy
from ferclean.methods.smr import Smr
from ferclean.models.registry import BACKBONES, build_network
from ferclean.noise.inject import inject_noise
from ferclean.steps.chain import train_all_rounds
from ferclean.train.observe import Observation
from ferclean.train.schedule import learning_rate
from fixtures.small_data import run_files, small_settings, write_small_data

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def make_context(observed, **training):
    return Context(observed, 3, 0, TrainingSettings(**training), torch.device("cpu"))


def run_smr(tmp_path, name, **changes):
    faces, labels = write_small_data(tmp_path / "data", **changes.pop("data", {}))
    files = run_files(faces, labels, "smr", small_settings(rounds=1, **changes))
    train_all_rounds(files, pretrained=tmp_path / name / "p", denoised=tmp_path / name / "d")
    return tmp_path / name / "d" / "round_1"


@pytest.mark.slow
def test_01_every_backbone_that_a_preset_names_can_be_built():
    named = {load_preset(name)["model"]["name"] for name in preset_names()}
    assert named <= set(BACKBONES)
    for name in named:
        network = build_network(ModelSettings(name), classes=7, channels=3, image_size=96, seed=0)
        assert sum(p.numel() for p in network.parameters()) > 0


def test_02_every_command_in_the_readme_exists():
    from typer.main import get_command

    from ferclean.cli.app import app

    known = set(get_command(app).commands)
    text = (ROOT / "README.md").read_text()
    used = set(re.findall(r"(?:`|^\s*)ferclean ([a-z][a-z-]*)", text, flags=re.MULTILINE))
    assert used and used <= known


def test_03_the_middle_phase_of_the_learning_rate_happens():
    optimizer = load_preset("smr_animal10n")["training"]["optimizer"]
    settings = OptimizerSettings(
        **{**optimizer, "milestones": tuple(map(float, optimizer["milestones"]))}
    )
    rates = [learning_rate(settings, epoch=e, total_epochs=200) for e in (79, 80, 139, 140)]
    assert rates == pytest.approx([1e-2, 1e-3, 1e-3, 1e-4])


def test_04_each_networks_prediction_is_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    last = run_smr(tmp_path, "run")
    frame = pd.read_parquet(last / "partition.parquet")
    first, second = (frame[[f"p_{n}_{c}" for c in ("fear", "happy", "sad")]] for n in (0, 1))
    assert not np.allclose(first.to_numpy(), second.to_numpy())


def test_05_noise_from_a_file_changes_labels_and_never_pictures():
    codes = np.array([0, 1, 2, 0])
    splits = np.array(["train"] * 4)
    noisy = inject_noise(
        codes,
        splits,
        kind="file",
        rate=0.0,
        seed=0,
        classes=("a", "b", "c"),
        settings=NoiseSettings(file="list.csv"),
        file_codes=np.array([1, 1, 2, 2]),
    )
    assert noisy.tolist() == [1, 1, 2, 2]
    assert codes.tolist() == [0, 1, 2, 0]


def test_06_output_folders_are_created(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (run_smr(tmp_path, "not/yet/there") / "checkpoint.pt").exists()


def test_07_every_imported_package_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    lines = [line for group in groups for line in group]
    declared = {re.split(r"[<>=\[; ]", line)[0].lower().replace("_", "-") for line in lines}
    distributions = packages_distributions()
    imported = set()
    for file in SOURCES:
        found = re.findall(r"^\s*(?:from|import) ([A-Za-z_]\w*)", file.read_text(), flags=re.M)
        imported.update(found)
    import sys

    third_party = imported - set(sys.stdlib_module_names) - {"ferclean", "__future__"}
    for module in third_party & set(distributions):
        names = {name.lower().replace("_", "-") for name in distributions[module]}
        assert names & declared, f"{module} is imported but not declared"
    locked = (ROOT / "requirements.lock").read_text().lower()
    assert all(f"\n{name}==" in locked for name in declared)


def test_08_statistics_count_the_last_class_and_use_the_right_rows():
    counts = confusion_counts([2, 2, 0], [2, 1, 0], 3)
    assert counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 1]]


def test_09_the_reported_counts_are_those_of_the_rows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    last = run_smr(tmp_path, "run")
    said = capsys.readouterr().err.strip().splitlines()[-1]
    counts = {name: int(count) for name, count in re.findall(r"(\w+) (\d+)", said)}
    actions = pd.read_parquet(last / "labels.parquet")["action"].value_counts()
    assert counts == {a: int(actions.get(a, 0)) for a in ("keep", "relabel", "soften", "drop")}


@pytest.mark.slow
def test_10_nothing_depends_on_global_random_state(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    first = run_smr(tmp_path, "a")
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(2)
    second = run_smr(tmp_path, "b")
    assert (first / "checkpoint.pt").read_bytes() == (second / "checkpoint.pt").read_bytes()


def test_10_the_seed_is_a_number_and_changes_the_noise():
    with pytest.raises(FercleanError, match="integer"):
        from ferclean.config.load import build_settings

        build_settings({"grid": {"seeds": "0"}})
    codes, splits = np.zeros(200, int), np.array(["train"] * 200)
    drawn = [
        inject_noise(
            codes,
            splits,
            kind="symmetric",
            rate=0.5,
            seed=seed,
            classes=("a", "b", "c"),
            settings=NoiseSettings(),
        )
        for seed in (0, 1)
    ]
    assert (drawn[0] != drawn[1]).any()


def test_11_no_path_of_a_machine_stands_in_the_source():
    pattern = re.compile(r"""["'](?:[A-Z]:[/\\]|/(?:home|root|Users|mnt|data|work)/)""")
    assert [file for file in SOURCES if pattern.search(file.read_text())] == []


@pytest.mark.slow
@pytest.mark.parametrize("rows", [37, 61])
def test_12_any_number_of_rows_works(tmp_path, monkeypatch, rows):
    monkeypatch.chdir(tmp_path)
    last = run_smr(tmp_path, "run", data={"rows": rows})
    splits = pd.read_parquet(tmp_path / "data" / "labels.parquet")["split"]
    assert len(pd.read_parquet(last / "labels.parquet")) == (splits == "train").sum()


def test_12_equal_losses_and_empty_sides_do_not_crash():
    observed = np.array([0, 1, 2, 0])
    logits = np.zeros((2, 4, 3), dtype=np.float32)
    recipe, context = Smr(SmrSettings()), make_context(observed)
    found = recipe.partition(Observation(logits), context, {})
    assert (found.clean_probability == 1).all()
    passes = recipe.epoch(40, context, (found, recipe.relabel(found, observed)))
    assert [len(work.streams) for work in passes] == [1, 1]


def test_12_a_loss_that_is_not_a_number_is_named():
    logits = np.zeros((2, 4, 3), dtype=np.float32)
    logits[0, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        Smr(SmrSettings()).partition(Observation(logits), make_context(np.array([0, 1, 2, 0])), {})


def test_13_asymmetric_noise_needs_no_map_of_ten_classes():
    classes = tuple(f"class{k}" for k in range(100))
    settings = NoiseSettings(asymmetric_map={"class3": "class4"})
    codes = np.repeat(np.arange(100), 5)
    noisy = inject_noise(
        codes,
        np.array(["train"] * 500),
        kind="asymmetric",
        rate=1.0,
        seed=0,
        classes=classes,
        settings=settings,
    )
    assert (noisy[codes == 3] == 4).all() and (noisy[codes != 3] == codes[codes != 3]).all()


def test_14_recalibration_is_an_ordinary_shuffled_augmented_epoch_on_all_rows():
    context = make_context(np.arange(90) % 3)
    recalibration = Smr(SmrSettings()).epoch(29, context, None)[0]
    control = CrossEntropy(None).epoch(29, context, None)[0]
    (stream,), (reference,) = recalibration.streams, control.streams
    assert stream.rows.tolist() == reference.rows.tolist() == list(range(90))
    assert (stream.views, stream.batch_size) == (reference.views, reference.batch_size)


def test_15_one_licence_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert "Apache" not in (ROOT / "README.md").read_text().split("## Licence")[-1]


def test_15_no_setting_is_dead():
    text = "\n".join(f.read_text() for f in SOURCES if "config" not in f.parts)
    for field in SmrSettings.__dataclass_fields__:
        assert f"settings.{field}" in text, f"methods.smr.{field} is read by nothing"
    assert set(SECTIONS) >= {"training", "methods"}


def test_16_the_headline_is_the_last_epoch_never_the_best_on_test():
    test = pd.DataFrame(
        {
            "accuracy": [0.9, 0.2, 0.6],
            "mean_class_accuracy": [0.9, 0.2, 0.6],
            "macro_f1": [0.9, 0.2, 0.6],
        }
    )
    found = reported_metrics(test, None)
    best = {key: value for key, value in found.items() if "best_on_test" in key}
    assert best and all("comparison_only" in key for key in best)
    text = repr({key: value for key, value in found.items() if key not in best})
    assert "0.9" not in text and "0.6" in text
