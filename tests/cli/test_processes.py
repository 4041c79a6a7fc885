"""Several processes train one run, started by the command itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ferclean
from ferclean.steps.chain import train_all_rounds
from ferclean.tables.face_packs import encode_face, face_pack_writer, read_face_pack
from ferclean.tables.labels import read_label_table
from fixtures.small_data import run_files, small_settings, write_small_data

pytestmark = pytest.mark.slow

SOURCE = Path(ferclean.__file__).resolve().parents[1]
# One has a memory of every row, which the processes bring together; the other two networks, and two
# streams that its partition makes.
METHODS = ("elr", "smr")
SMALL = {"smr": {"labelled_batch_size": 16, "unlabelled_weight": 5.0}}


def call(
    folder: Path, *words: object, processes: int, method: str = "elr", **more: object
) -> subprocess.CompletedProcess[str]:
    training = {
        "warm_up_epochs": 2,
        "rounds": 1,
        "epochs_per_round": 2,
        "batch_size": 32,
        "processes": processes,
        "augment": {"flip": True, "shift": 1},
        **more,
    }
    params = json.dumps({"model": {"name": "tiny48"}, "training": training, "methods": SMALL})
    command = [*words, "--method", method, "--device", "cpu", "--params", params]
    return subprocess.run(
        [sys.executable, "-m", "ferclean", *map(str, command)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", params=METHODS)
def runs(request, tmp_path_factory):
    """Return the method, its files, and the folders of a run of one process and of one of two."""
    method, folder = request.param, tmp_path_factory.mktemp("processes")
    faces, labels = write_small_data(folder / "data", rows=600)
    one, two = folder / "1", folder / "2"
    train_all_rounds(
        run_files(faces, labels, method, small_settings(rounds=1, epochs_per_round=2)),
        pretrained=one / "warm",
        denoised=one,
    )
    warm = ["--checkpoint", two / "warm" / "checkpoint.pt"]
    steps = (
        ["pretrain", "--output", two / "warm"],
        ["partition", *warm, "--output", two / "round_0"],
        ["train", *warm, "--partition", two / "round_0" / "partition.parquet",
         "--relabelled", two / "round_0" / "labels.parquet", "--round-number", 1,
         "--output", two / "round_1"],
    )  # fmt: skip
    for step in steps:
        given = ["--faces", faces, "--labels", labels]
        done = call(folder, *step, *given, processes=2, method=method)
        assert done.returncode == 0, done.stderr
        assert len(done.stderr.splitlines()) <= 3, done.stderr  # one process speaks
    return method, faces, labels, one, two


def test_two_processes_find_what_one_finds(runs):
    method, _, labels, one, two = runs
    first, second = (
        read_label_table(run / "round_0" / "labels.parquet").frame for run in (one, two)
    )
    # Stated in docs/scaling.md: the processes draw other augmentations, and each normalises by
    # its share of a batch.
    assert (first["label"].astype(str) == second["label"].astype(str)).mean() >= 0.97
    assert np.abs(first["clean_probability"] - second["clean_probability"]).mean() <= 0.1
    table = read_label_table(labels)
    test = table.take(table.in_split("test"))
    true = pd.Series(test.codes("true"), test.frame["sample_id"])
    for run in (one, two):
        with np.load(run / "round_1" / "predictions.npz") as said:
            guess = pd.Series(said["probabilities"][-1].argmax(axis=1), said["sample_id"])
        assert (guess[true.index] == true).mean() >= 0.97
    losses = [pd.read_csv(run / "round_1" / "history.csv")["loss"].iloc[-1] for run in (one, two)]
    assert losses[1] == pytest.approx(losses[0], abs=0.3 if method == "elr" else 0.6)


def test_two_processes_give_the_same_bits_again(runs, tmp_path):
    method, faces, labels, one, two = runs
    words = ["pretrain", "--output", "again", "--faces", faces, "--labels", labels]
    assert call(tmp_path, *words, processes=2, method=method).returncode == 0
    again = (tmp_path / "again" / "checkpoint.pt").read_bytes()
    assert again == (two / "warm" / "checkpoint.pt").read_bytes()
    assert again != (one / "warm" / "checkpoint.pt").read_bytes()


def test_a_mistake_is_said_once_in_one_sentence(tmp_path):
    faces, _ = write_small_data(tmp_path / "data", rows=30)
    done = call(
        tmp_path, "pretrain", "--faces", faces, "--labels", faces, "--output", "out", processes=2
    )
    assert done.returncode == 2
    assert done.stderr.count("error: ") == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("row", range(3))
def test_what_one_process_meets_alone_is_said_in_one_sentence(tmp_path, row):
    """Each reads its own share of the faces: which of them meets the broken one is chance."""
    raw, labels = write_small_data(tmp_path / "data", rows=60)
    training = np.flatnonzero(read_label_table(labels).in_split("train"))
    faces = read_face_pack(raw)[:]
    with face_pack_writer(tmp_path / "faces.pack", size=24, channels=1, encoding="png") as writer:
        for number, face in enumerate(faces):
            broken = number == training[row]
            writer.append(b"broken" if broken else encode_face(face, "png"))
    words = ["pretrain", "--faces", tmp_path / "faces.pack", "--labels", labels, "--output", "out"]
    done = call(tmp_path, *words, processes=2, pictures="streamed")
    assert done.returncode == 2
    assert (
        f"error: {tmp_path / 'faces.pack'}: face {training[row]} cannot be decoded" in done.stderr
    )
    assert done.stderr.count("error: ") == 1 and "Traceback" not in done.stderr, done.stderr


def test_a_process_that_dies_is_named(tmp_path, monkeypatch):
    faces, labels = write_small_data(tmp_path / "data", rows=30)
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import os\nif os.environ.get('RANK') == '1': os._exit(7)\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", f"{SOURCE}{os.pathsep}{hook}")
    done = call(
        tmp_path, "pretrain", "--faces", faces, "--labels", labels, "--output", "out", processes=2
    )
    assert done.returncode == 2
    assert "error: process 1 of 2 failed with exit code 7" in done.stderr
