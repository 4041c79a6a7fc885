"""The laws of the design: rounds and epochs, resuming, blindness to the truth, `given`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from ferclean.config.methods import METHOD_NAMES
from ferclean.methods import remedies
from ferclean.methods.runner import History
from ferclean.steps.chain import train_all_rounds
from ferclean.steps.resume import ResumeFile
from ferclean.steps.training_inputs import open_training
from ferclean.tables.face_packs import read_face_pack
from ferclean.tables.labels import read_label_table, write_label_table
from ferclean.train.state import load_torch
from fixtures.packs import write_faces
from fixtures.small_data import run_files, small_settings, write_small_data

pytestmark = pytest.mark.slow

METHODS = METHOD_NAMES
NOT_COMPARED = {"timing.csv"}  # clocks


@pytest.fixture
def small_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_small_data(tmp_path / "data")


def run_chain(faces, labels, folder, method, settings):
    files = run_files(faces, labels, method, settings)
    train_all_rounds(files, pretrained=folder / "pretrain", denoised=folder / "denoise")
    return folder / "denoise" / f"round_{settings.training.rounds}"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in NOT_COMPARED
    }


def check_that_rounds_of_one_epoch_equal_one_of_many(small_data, folder, method, own=None):
    many = small_settings(methods=own or {}, rounds=4, epochs_per_round=1)
    one = small_settings(methods=own or {}, rounds=1, epochs_per_round=4)
    last_of_many = run_chain(*small_data, folder / "many", method, many)
    last_of_one = run_chain(*small_data, folder / "one", method, one)
    for name in ("checkpoint.pt", "labels.parquet", "partition.parquet"):
        assert (last_of_many / name).read_bytes() == (last_of_one / name).read_bytes(), name
    history = pd.read_csv(last_of_one / "history.csv")
    parts = [pd.read_csv(folder / f"many/denoise/round_{r}/history.csv") for r in (1, 2, 3, 4)]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), history)
    return history


@pytest.mark.parametrize("method", METHODS)
def test_rounds_of_one_epoch_equal_one_round_of_many_bit_for_bit(small_data, tmp_path, method):
    # Averaged losses and a recalibration epoch, so that memory and every kind of epoch count.
    own = {"smr": {"loss_history": 3, "recalibration_period": 5, "ramp_up_epochs": 2.0}}
    check_that_rounds_of_one_epoch_equal_one_of_many(small_data, tmp_path, method, own)


def test_they_are_equal_where_ferclean_repairs_labels(small_data, tmp_path, monkeypatch):
    monkeypatch.setattr(remedies, "_RIGHT_NEEDED", (0.0, 0.0))
    history = check_that_rounds_of_one_epoch_equal_one_of_many(small_data, tmp_path, "ferclean")
    assert (history["kind"] == "mixmatch").all()


def test_the_comparison_above_would_notice_a_difference(small_data, tmp_path):
    first = run_chain(*small_data, tmp_path / "a", "smr", small_settings())
    second = run_chain(
        *small_data, tmp_path / "b", "smr", small_settings(methods={"smr": {"alpha": 2.0}})
    )
    assert (first / "checkpoint.pt").read_bytes() != (second / "checkpoint.pt").read_bytes()


@pytest.mark.parametrize(("encoding", "where"), [("raw", "streamed"), ("png", "streamed")])
def test_pictures_read_step_by_step_or_compressed_change_no_bit(
    small_data, tmp_path, encoding, where
):
    faces, labels = small_data
    run_chain(faces, labels, tmp_path / "kept", "smr", small_settings(pictures="resident"))
    write_faces(tmp_path / "other.pack", read_face_pack(faces)[:], encoding)
    read = small_settings(pictures=where, cpu_threads=1)
    run_chain(tmp_path / "other.pack", labels, tmp_path / "read", "smr", read)
    kept = files_of(tmp_path / "kept")
    assert len(kept) >= 12 and kept == files_of(tmp_path / "read")


@pytest.mark.parametrize("method", METHODS)
def test_columns_for_evaluation_never_influence_training(small_data, tmp_path, method):
    faces, labels = small_data
    blind = tmp_path / "blind" / "labels.parquet"
    blind.parent.mkdir()
    table = pq.read_table(labels)
    hidden = [n for n in table.schema.names if n in ("given", "true") or n.startswith("votes_")]
    assert len(hidden) == 5
    pq.write_table(table.drop_columns(hidden), blind)
    run_chain(faces, labels, tmp_path / "seeing", method, small_settings())
    run_chain(faces, blind, tmp_path / "not_seeing", method, small_settings())
    seen = files_of(tmp_path / "seeing")
    assert len(seen) >= 12 and seen == files_of(tmp_path / "not_seeing")


def test_labels_of_held_out_rows_never_influence_training(small_data, tmp_path):
    faces, labels = small_data
    table = read_label_table(labels)
    codes = table.codes("observed")
    held_out = ~table.in_split("train")
    codes[held_out] = (codes[held_out] + 1) % 3
    changed = table.with_columns(observed=pd.Categorical.from_codes(codes, list(table.classes)))
    other = tmp_path / "other" / "labels.parquet"
    write_label_table(changed, other)
    run_chain(faces, labels, tmp_path / "a", "smr", small_settings())
    run_chain(faces, other, tmp_path / "b", "smr", small_settings())
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


@pytest.mark.parametrize("method", METHODS)
def test_given_and_observed_never_change(small_data, tmp_path, method):
    last = run_chain(*small_data, tmp_path / "run", method, small_settings())
    before = read_label_table(small_data[1])
    before = before.take(before.in_split("train"))
    after = read_label_table(last / "labels.parquet")
    for column in ("sample_id", "observed", "face_row"):
        pd.testing.assert_series_equal(before.frame[column], after.frame[column])
    assert "given" not in after.frame  # where noise was injected it is the truth
    with pytest.raises(ValueError, match="overwrites"):
        before.with_columns(given=before.frame["observed"])


def test_a_label_table_of_a_round_is_sound(small_data, tmp_path):
    last = run_chain(*small_data, tmp_path / "run", "smr", small_settings())
    table = read_label_table(last / "labels.parquet")
    np.testing.assert_allclose(table.matrix("p_").sum(axis=1), 1, atol=1e-5)
    assert table.frame["clean_probability"].between(0, 1).all()
    assert set(table.frame["action"]) <= {"keep", "relabel", "soften", "drop"}
    changed = table.codes("label") != table.codes("observed")
    assert ((table.frame["action"] == "relabel") == changed).all()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_resumes_in_warm_up_and_within_a_round(
    small_data, tmp_path, monkeypatch, method
):
    settings = small_settings(rounds=1, epochs_per_round=3)
    run_chain(*small_data, tmp_path / "whole", method, settings)
    save, stops, found = ResumeFile.save, {1, 4}, 0

    def save_and_stop(resume, state, history):
        save(resume, state, history)
        if state.epoch in stops:
            stops.remove(state.epoch)
            raise KeyboardInterrupt

    monkeypatch.setattr(ResumeFile, "save", save_and_stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_chain(*small_data, tmp_path / "stopped", method, settings)
        found += len(list((tmp_path / ".ferclean" / "resume").glob("*.pt")))
    run_chain(*small_data, tmp_path / "stopped", method, settings)
    assert found == 2 and not stops
    assert files_of(tmp_path / "stopped") == files_of(tmp_path / "whole")


_CHILD = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from fixtures.packs import write_faces
from fixtures.small_data import run_files, small_settings
from ferclean.steps.chain import train_all_rounds
settings = small_settings(warm_up_epochs=3, rounds=1, epochs_per_round=6)
files = run_files(Path("data/faces.pack"), Path("data/labels.parquet"), {method!r}, settings)
train_all_rounds(files, pretrained=Path("run/pretrain"), denoised=Path("run/denoise"))
"""


@pytest.mark.parametrize("method", ["smr"])
def test_a_run_killed_in_the_middle_of_training_resumes_to_the_identical_result(
    small_data, tmp_path, method
):
    settings = small_settings(warm_up_epochs=3, rounds=1, epochs_per_round=6)
    whole = tmp_path / "whole"
    run_chain(*small_data, whole, method, settings)
    code = _CHILD.format(path=[p for p in sys.path if p], method=method)
    kills = 0
    for wanted in ("pretrain-", "train-"):
        child = subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        kills += _kill_after_epochs(child, tmp_path / ".ferclean" / "resume", wanted)
    assert kills == 2
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "resuming after epoch" in done.stderr
    assert files_of(tmp_path / "run") == files_of(whole)
    assert not list((tmp_path / ".ferclean" / "resume").iterdir())  # nothing is left behind
    leftovers = [file for file in (tmp_path / "run").rglob(".*") if file.is_file()]
    assert all(".tmp" in file.name for file in leftovers)


def _kill_after_epochs(child: subprocess.Popen, folder: Path, step: str) -> bool:
    """SIGKILL the child as soon as it has saved an epoch of the step; tell whether it was alive."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and child.poll() is None:
        if any(file.name.startswith(step) for file in folder.glob("*.pt")):
            os.kill(child.pid, signal.SIGKILL)
            return child.wait() == -signal.SIGKILL
        time.sleep(0.002)
    return False


def test_a_resume_file_is_not_used_once_an_input_changed(small_data, tmp_path):
    faces, labels = small_data

    def path_with(settings, seed):
        files = run_files(faces, labels, "smr", settings, seed=seed)
        with open_training(files) as inputs:
            resume = ResumeFile("pretrain", inputs, files.paths, {})
            resume.save(inputs.fresh_state(), History())
            return resume.path

    paths = {
        path_with(small_settings(), 0),
        path_with(small_settings(), 1),
        path_with(small_settings(methods={"smr": {"alpha": 1.0}}), 0),
        path_with(small_settings(batch_size=31), 0),
    }
    write_small_data(tmp_path / "data", seed=1)
    paths.add(path_with(small_settings(), 0))
    assert len(paths) == 5


@pytest.mark.parametrize("content", [b"half a fi", None])
def test_a_broken_resume_file_is_put_aside(small_data, tmp_path, capsys, monkeypatch, content):
    settings = small_settings()
    whole = run_chain(*small_data, tmp_path / "a", "smr", settings)

    def leave_behind(resume):
        if content is not None:
            resume.path.write_bytes(content)
        else:  # a file that loads, but with a part missing
            torch.save({"rows": "[]"}, resume.path)

    with monkeypatch.context() as patch:
        patch.setattr(ResumeFile, "remove", leave_behind)
        run_chain(*small_data, tmp_path / "b", "smr", settings)
    again = run_chain(*small_data, tmp_path / "c", "smr", settings)
    assert "starting over" in capsys.readouterr().err
    assert files_of(again) == files_of(whole)


def test_no_held_out_rows_are_needed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    faces, labels = write_small_data(tmp_path / "data", rows=60)
    table = read_label_table(labels)
    write_label_table(table.with_columns(split="train"), labels)
    last = run_chain(faces, labels, tmp_path / "run", "cross_entropy", small_settings())
    with np.load(last / "predictions.npz", allow_pickle=False) as predictions:
        assert predictions["probabilities"].shape == (1, 0, 3)


def test_checkpoint_holds_class_order_and_preprocessing_and_loads_without_pickle(
    small_data, tmp_path
):
    last = run_chain(*small_data, tmp_path / "run", "smr", small_settings())
    content = load_torch(last / "checkpoint.pt", torch.device("cpu"))
    assert content["identity"]["classes"] == ["fear", "happy", "sad"]
    assert content["identity"]["normalise_mean"] == [0.5]
    assert len(content["networks"]) == len(content["optimizers"]) == 2
