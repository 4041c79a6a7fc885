"""DVC versions the data: clones, remotes, earlier commits and experiments."""

import json

import pandas as pd
import pytest
import yaml

from workflow.project import Project

pytestmark = pytest.mark.end_to_end

RUN = "symmetric-0.3-seed0/smr"
HISTORY = f"results/denoise/{RUN}/round_1/history.csv"


@pytest.fixture(scope="module")
def clone(finished: Project, scratch) -> Project:
    """A fresh clone with the pushed data, before any tool has worked in it."""
    path = scratch / "clone"
    finished.git("clone", "--quiet", str(finished.path), str(path))
    project = Project(path, scratch)
    project.dvc("pull", "--run-cache")
    return project


@pytest.fixture(scope="module")
def edited(clone: Project, scratch) -> Project:
    """The clone after an edit of a training parameter, ``dvc repro`` and a commit."""
    project = clone.copy(scratch / "edited")
    project.change_params({"training": {"optimizer": {"learning_rate": 0.5}}})
    project.dvc("repro")
    project.commit("another learning rate")
    return project


def test_a_clone_gets_every_result_from_the_remote(clone, finished):
    assert clone.digests() == finished.digests()
    assert clone.is_clean_for_dvc()


def test_results_that_git_must_not_hold_are_with_dvc(finished):
    tracked = finished.git("ls-files").split()
    assert [f for f in tracked if f.startswith("results/")] == ["results/summary/metrics.json"]
    assert "data/raw/other.dvc" in tracked
    assert "data/raw/other" not in tracked


def test_a_pulled_clone_is_done_for_snakemake_too_after_a_touch(clone, tmp_path):
    project = clone.copy(tmp_path / "copy")
    project.snakemake("--touch", "--forceall")
    assert project.has_nothing_to_do()
    assert project.digests() == clone.digests()
    assert project.is_clean_for_dvc()


def test_what_snakemake_made_is_taken_over_by_dvc_commit(finished, tmp_path):
    """Without a record of its own DVC would make everything once more."""
    project = finished.copy(tmp_path / "copy")
    lock = project.path / "dvc.lock"
    recorded = yaml.safe_load(lock.read_text())
    lock.unlink()
    assert not project.is_clean_for_dvc()
    project.dvc("commit", "--force")
    assert yaml.safe_load(lock.read_text()) == recorded
    assert project.is_clean_for_dvc()


def test_an_edit_in_a_clone_really_reaches_the_outputs(edited, finished):
    """The old model beside the new parameter would be a silent wrong result."""
    rates = [pd.read_csv(p.path / HISTORY)["learning_rate"].max() for p in (finished, edited)]
    assert rates[1] > 10 * rates[0]
    lock = yaml.safe_load((edited.path / "dvc.lock").read_text())
    assert (
        lock["stages"]["denoise"]["params"]["params.yaml"]["training"]
        == (edited.read_params()["training"])
    )
    assert edited.is_clean_for_dvc()
    before, after = finished.digests(), edited.digests()
    changed = {file.split("/")[1] for file in after if before.get(file) != after[file]}
    assert changed == {"pretrain", "denoise", "audit", "evaluate", "summary", "report", "cards"}


def test_an_earlier_commit_brings_its_results_back(edited, finished, tmp_path):
    project = edited.copy(tmp_path / "copy")
    project.git("checkout", "--quiet", "HEAD~1")
    project.dvc("checkout")
    assert project.digests() == finished.digests()
    assert project.is_clean_for_dvc()
    project.snakemake("--touch", "--forceall")
    assert project.has_nothing_to_do()


def test_flipping_an_edit_back_brings_the_cached_results_back(edited, finished, tmp_path):
    project = edited.copy(tmp_path / "copy")
    project.change_params({"training": {"optimizer": {"learning_rate": 0.003}}})
    output = project.dvc("repro")
    for stage in ("pretrain", "denoise"):
        assert f"Stage '{stage}' is cached - skipping run" in output
    assert "Train symmetric" not in output
    assert project.digests() == finished.digests()


def test_metrics_and_plots_are_shown(edited, tmp_path):
    shown = json.loads(edited.dvc("metrics", "diff", "HEAD~1", "--json"))
    compared = shown["results/summary/metrics.json"]
    assert f"{RUN}.test_ece_last_epoch" in compared
    edited.dvc("plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text()
    for plot in ("curves", "results", "seeds", "timing"):
        assert f"results_summary_{plot}_csv" in page
    assert "similarity.png" in page


def test_an_experiment_in_a_copy_changes_the_outcome(copy_of_finished):
    project = copy_of_finished
    metrics = project.path / "results/summary/metrics.json"
    before = json.loads(metrics.read_text())
    changed = "evaluate.calibration_bins=400"
    project.dvc("exp", "run", "--temp", "--name", "fine", "--set-param", changed)
    assert json.loads(metrics.read_text()) == before
    project.dvc("exp", "apply", "fine")
    assert project.read_params()["evaluate"]["calibration_bins"] == 400
    after = json.loads(metrics.read_text())[RUN]
    assert after["test_ece_last_epoch"] != before[RUN]["test_ece_last_epoch"]
    assert after["detection_auroc"] == before[RUN]["detection_auroc"]
