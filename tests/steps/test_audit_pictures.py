import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from ferclean.cli.app import app
from ferclean.config.training import ModelSettings, TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.registry import build_network
from ferclean.steps.audit_pictures import audit_pictures, fit_to_rows, picture_settings
from fixtures.class_folders import BAR_CLASSES, write_bars, write_quick_params


@pytest.fixture
def pictures(tmp_path):
    return write_bars(tmp_path / "set")


@pytest.fixture
def quick(tmp_path):
    return write_quick_params(tmp_path / "quick.yaml", epochs=4)


@pytest.mark.slow
def test_a_folder_is_audited_and_a_second_call_does_nothing_twice(pictures, quick, tmp_path):
    out = tmp_path / "out"
    command = ["audit", "--data", str(pictures), "--aligned", "--params", quick, "--out", str(out)]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    table = pd.read_parquet(out / "audit.parquet")
    assert len(table) == 90 and set(table["given_label"]) == set(BAR_CLASSES)
    true = table["sample_id"].str.extract(r"-(\d)\.png")[0].astype(int)
    truth = np.array(BAR_CLASSES)[true]
    wrong = (table["given_label"] != truth).to_numpy()
    assert wrong.sum() == 15
    assert table["label_quality"][wrong].mean() < table["label_quality"][~wrong].mean() - 0.3
    assert (table["suggested_label"] == truth).mean() > 0.9
    before = {p: p.stat().st_mtime_ns for p in (out / "work").rglob("*") if p.is_file()}
    audit = (out / "audit.csv").read_bytes()
    again = CliRunner().invoke(app, command)
    steps = len(list((out / "work").glob("*.done")))
    assert again.exit_code == 0 and again.output.count("done before") == steps
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert (out / "audit.csv").read_bytes() == audit
    # A call that was stopped in the last round goes on there, and one that lost a file makes it.
    last = max((out / "work" / "denoise").glob("round_*"))
    (out / "work" / f"train_{last.name[-1]}.done").unlink()
    stopped = CliRunner().invoke(app, command)
    assert stopped.exit_code == 0 and stopped.output.count("done before") == steps - 2
    assert "pretrain: done before" in stopped.output
    (last / "partition.parquet").unlink()
    lost = CliRunner().invoke(app, command)
    assert lost.exit_code == 0 and lost.output.count("done before") == steps - 1
    assert (out / "audit.csv").read_bytes() == audit
    # Another picture is another data set: everything is made anew.
    (pictures / "sad" / "000-0.png").unlink()
    changed = CliRunner().invoke(app, command)
    assert changed.exit_code == 0 and "done before" not in changed.output
    assert len(pd.read_parquet(out / "audit.parquet")) == 89


@pytest.mark.slow
def test_a_changed_picture_of_a_table_and_changed_weights_are_noticed(pictures, tmp_path):
    quick, weights = Path(write_quick_params(tmp_path / "quick.yaml", epochs=1)), tmp_path / "w.pt"
    values = json.loads(quick.read_text())
    values["model"]["weights"] = str(weights)
    quick.write_text(json.dumps(values))
    network = build_network(
        ModelSettings(name="tiny48"), classes=3, channels=1, image_size=24, seed=7
    )
    torch.save(network.state_dict(), weights)
    files = sorted(pictures.rglob("*.png"))
    table = pictures / "labels.csv"
    rows = [(file.relative_to(pictures), file.parent.name) for file in files]
    pd.DataFrame(rows, columns=["path", "label"]).to_csv(table, index=False)
    command = ["audit", "--data", str(table), "--aligned", "--params", str(quick)]

    def call():
        done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
        return done.output.count("done before")

    assert call() == 0
    assert call() > 3
    torch.save({name: value * 1 for name, value in network.state_dict().items()}, weights)
    os.utime(weights, ns=(0, 0))
    assert call() == 3  # reading, alignment and the labels stay
    Image.new("L", (24, 24), 99).save(files[0])
    assert call() == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "give --data, or --labels and --pred-probs"),
        (["--labels", "FILE"], "give --data, or --labels and --pred-probs"),
        (["--data", "rendered", "--labels", "FILE"], "--data stands alone"),
        (["--labels", "FILE", "--pred-probs", "FILE", "--aligned"], "go with --data"),
        (["--data", "nowhere"], "there is no folder or table at nowhere"),
    ],
)
def test_options_that_do_not_fit_are_told(options, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("")
    with pytest.raises(FercleanError, match=sentence):
        CliRunner().invoke(app, ["audit", "--out", "o", *options], catch_exceptions=False)


def test_settings_are_the_presets_or_the_files_with_the_pictures_laid_over(pictures, quick):
    found = picture_settings(pictures, classes=None, params=None, aligned=False)
    assert found.data.classes == ("fear", "happy", "sad") and found.data.validation_fraction == 0
    assert (found.data.source, found.align.detector) == ("image_folder", "mtcnn")
    named = picture_settings(pictures, classes=["sad", "happy"], params=quick, aligned=True)
    assert named.data.classes == ("sad", "happy") and named.align.detector == "already_aligned"
    assert (named.training.batch_size, named.align.size) == (16, 24)
    drawn = picture_settings(Path("rendered"), classes=None, params=quick, aligned=True)
    assert drawn.data.source == "rendered"


@pytest.mark.parametrize(
    ("rows", "batch", "epochs", "warm_up"),
    [
        (60, 16, 60, 24),
        (700, 16, 60, 24),
        (1500, 32, 60, 24),
        (6000, 128, 60, 24),
        (10_000, 128, 39, 16),
        (19_000, 128, 23, 8),
        (26_461, 128, 20, 5),
    ],
)
def test_small_data_sets_are_given_smaller_batches_and_more_epochs(
    pictures, rows, batch, epochs, warm_up
):
    trainer = picture_settings(pictures, classes=None, params=None, aligned=False).training
    fitted = fit_to_rows(trainer, rows)
    assert fitted.batch_size == batch
    assert fitted.total_epochs == pytest.approx(epochs, abs=1)
    assert fitted.warm_up_epochs == warm_up and fitted.rounds == trainer.rounds


@given(st.integers(1, 60_000), st.integers(0, 4), st.integers(1, 300), st.integers(1, 90))
def test_epochs_are_never_fewer_and_batches_never_larger(rows, rounds, batch, warm_up):
    trainer = TrainingSettings(warm_up_epochs=warm_up, rounds=rounds, batch_size=batch)
    fitted = fit_to_rows(trainer, rows)
    assert fitted.warm_up_epochs >= warm_up
    assert fitted.epochs_per_round >= trainer.epochs_per_round
    assert min(16, batch) <= fitted.batch_size <= batch
    if rows // batch * trainer.total_epochs >= 3000:
        assert fitted == trainer


def test_the_audit_says_so_where_no_picture_can_be_used(tmp_path, quick):
    for name in ("a/1.png", "b/2.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"no picture")
    settings = picture_settings(tmp_path / "set", classes=None, params=quick, aligned=True)
    with pytest.raises(FercleanError):
        audit_pictures(
            settings=settings, output=tmp_path / "o", seed=0, device="cpu", fit_epochs=False
        )


@pytest.mark.parametrize("inside", ["", "audit", "sad/audit"])
def test_the_audit_is_not_written_among_the_pictures(pictures, quick, inside):
    settings = picture_settings(pictures, classes=None, params=quick, aligned=True)
    before = sorted(pictures.rglob("*"))
    with pytest.raises(FercleanError, match=r"lies inside --data .*: name a folder beside it"):
        audit_pictures(
            settings=settings, output=pictures / inside, seed=0, device="cpu", fit_epochs=False
        )
    assert sorted(pictures.rglob("*")) == before
