"""The auto-encoder's step: files, determinism, resuming, and blindness to one's own label."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.semantics.table import read_word_vectors
from ferclean.steps import semantic_embedding as module
from ferclean.steps.semantic_embedding import semantic_embedding
from ferclean.tables.labels import labels_from_codes, read_label_table, write_label_table
from ferclean.tables.similarity import read_similarity
from ferclean.train.folds import assign_folds
from fixtures.small_data import CLASSES, write_small_data, write_word_vectors

pytestmark = pytest.mark.slow

FILES = ("similarity.parquet", "history.csv", "summary.json")


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    faces, labels = write_small_data(tmp_path / "data", rows=120, noise=0.2)
    return {"faces": faces, "labels": labels, "word_vectors": write_word_vectors(labels)}


def run(data, output, *, seed=0, **embedding):
    settings = build_settings(
        {
            "embedding": {"epochs": 3, "batch_size": 16, **embedding},
            "training": {"augment": {"flip": True, "shift": 1}},
        },
        ("embedding", "training"),
    )
    semantic_embedding(**data, output=output, seed=seed, device="cpu", settings=settings)
    return {name: (output / name).read_bytes() for name in FILES}


def training_rows(labels):
    table = read_label_table(labels)
    return table.take(table.in_split("train"))


def test_it_writes_a_cosine_a_training_row_and_class_and_says_how_it_went(data, tmp_path):
    run(data, tmp_path / "out", epochs=6)
    table = training_rows(data["labels"])
    ids = table.frame["sample_id"].to_numpy()
    found = read_similarity(tmp_path / "out/similarity.parquet", CLASSES, ids)
    history = pd.read_csv(tmp_path / "out/history.csv")
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    observed = table.codes("observed")
    agreement = (found.argmax(axis=1) == observed).mean()
    assert history["epoch"].tolist() == list(range(6))
    assert history["top1_observed"].iloc[-1] == summary["top1_observed"] == agreement
    assert summary["top1_observed_by_epoch"] == history["top1_observed"].tolist()
    assert history["loss_cosine"].iloc[-1] < history["loss_cosine"].iloc[0]
    assert (table.codes("true") == found.argmax(axis=1)).mean() > 0.6
    means = summary["mean_similarity_by_observed_class"]
    assert means["sad"]["happy"] == pytest.approx(found[observed == 2, 1].mean(), abs=1e-6)
    assert (summary["rows"], summary["folds"], summary["encoder"]) == (len(table), 2, "tiny")


def test_the_same_call_gives_the_same_bytes_and_another_seed_others(data, tmp_path):
    first = run(data, tmp_path / "a")
    assert run(data, tmp_path / "b") == first
    assert run(data, tmp_path / "c", seed=1) != first
    assert not list((tmp_path / ".ferclean/resume").iterdir())


def test_a_row_is_coded_by_a_network_that_never_saw_it_or_its_fold(data, tmp_path, monkeypatch):
    seen = []
    whole = module.run_pass

    def note(task, number, *rest, **options):
        seen.append((number, task.trains, frozenset(task.streams[0].rows.tolist())))
        return whole(task, number, *rest, **options)

    monkeypatch.setattr(module, "run_pass", note)
    observed = training_rows(data["labels"]).codes("observed")
    run(data, tmp_path / "two", epochs=1)
    fold = assign_folds(observed, 2, 0)
    assert [(n, t, set(r)) for n, t, r in seen] == [
        (n, (n,), set(np.flatnonzero(fold != n).tolist())) for n in (0, 1)
    ]
    seen.clear()
    run(data, tmp_path / "one", epochs=1, folds=1)
    assert [set(r) for _, _, r in seen] == [set(range(len(observed)))]


def test_a_rows_own_label_cannot_reach_its_code(data, tmp_path, monkeypatch):
    """Other labels within a fold leave the codes of that fold as they are."""
    table = read_label_table(data["labels"])
    train, observed = np.flatnonzero(table.in_split("train")), table.codes("observed")
    fold = np.arange(len(train)) % 2
    monkeypatch.setattr(module, "assign_folds", lambda *arguments: fold)
    run(data, tmp_path / "before")
    mine = train[fold == 0]
    observed[mine] = (observed[mine] + 1) % len(CLASSES)
    changed = table.with_columns(observed=labels_from_codes(observed, CLASSES))
    write_label_table(changed, data["labels"])
    run(data, tmp_path / "after")
    ids = table.frame["sample_id"].to_numpy()[train]
    before, after = (
        read_similarity(tmp_path / name / "similarity.parquet", CLASSES, ids)
        for name in ("before", "after")
    )
    np.testing.assert_array_equal(before[fold == 0], after[fold == 0])
    assert (before[fold == 1] != after[fold == 1]).any()


def test_columns_for_evaluation_and_labels_of_held_out_rows_do_not_count(data, tmp_path):
    seeing = run(data, tmp_path / "seeing")
    table = read_label_table(data["labels"])
    codes = table.codes("observed")
    held_out = ~table.in_split("train")
    codes[held_out] = (codes[held_out] + 1) % 3
    other = table.with_columns(observed=labels_from_codes(codes, CLASSES))
    write_label_table(other, data["labels"])
    kept = pq.read_table(data["labels"])
    hidden = [n for n in kept.schema.names if n in ("given", "true") or n.startswith("votes_")]
    pq.write_table(kept.drop_columns(hidden), data["labels"])
    assert len(hidden) == 5 and run(data, tmp_path / "blind") == seeing


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 4},
        {"batch_size": 20},
        {"folds": 3},
        {"cosine_weight": 0.1},
        {"optimizer": {"learning_rate": 1e-4}},
    ],
)
def test_every_setting_reaches_the_result(data, tmp_path, changes):
    assert run(data, tmp_path / "a") != run(data, tmp_path / "b", **changes)


_CHILD = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from steps.test_semantic_embedding import run
names = {{"faces": "faces.pack", "labels": "labels.parquet", "word_vectors": "word_vectors.csv"}}
run({{k: Path("data") / v for k, v in names.items()}}, Path("out"), epochs=12)
"""


def test_a_killed_run_resumes_to_the_identical_result(data, tmp_path):
    whole = run(data, tmp_path / "whole", epochs=12)
    code = _CHILD.format(path=[p for p in sys.path if p])
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((tmp_path / ".ferclean/resume").glob("semantic-embedding-*.pt")):
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.002)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "resuming after epoch" in done.stderr
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == whole
    assert not list((tmp_path / ".ferclean/resume").iterdir())


def test_a_broken_resume_file_is_put_aside(data, tmp_path, capsys, monkeypatch):
    whole = run(data, tmp_path / "whole")

    def name_broken_file(*arguments, **options):
        path = tmp_path / "broken.pt"
        path.write_bytes(b"half a fi")
        return path

    monkeypatch.setattr(module, "resume_path", name_broken_file)
    assert run(data, tmp_path / "again") == whole
    assert "starting over" in capsys.readouterr().err


def test_mistakes_are_named(data, tmp_path):
    with pytest.raises(FercleanError, match=r"embedding\.folds is 500"):
        run(data, tmp_path / "out", folds=500)
    with pytest.raises(FercleanError, match="at least 32 pixels"):
        run(data, tmp_path / "out", encoder="vgg10")
    text = data["word_vectors"].read_text().splitlines()
    zeros = text[1].split(",")[:2] + ["0.0"] * (len(text[1].split(",")) - 2)
    data["word_vectors"].write_text("\n".join([text[0], ",".join(zeros), *text[2:]]))
    assert not read_word_vectors(data["word_vectors"], CLASSES)[0].any()
    with pytest.raises(FercleanError, match="a word vector is zero"):
        run(data, tmp_path / "out")
