import json

import numpy as np
import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.steps.audit_run import audit_run, label_distributions
from ferclean.steps.chain import train_all_rounds
from ferclean.tables.labels import read_label_table
from ferclean.tables.partitions import Partition, read_partition
from fixtures.small_data import run_files, small_settings, write_small_data


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        faces, labels = write_small_data(folder / "data")
        settings = small_settings()
        for method in ("ferclean", "cross_entropy"):
            files = run_files(faces, labels, method, settings)
            train_all_rounds(
                files, pretrained=folder / method / "pretrain", denoised=folder / method / "denoise"
            )
    rows = read_label_table(labels)
    names = rows.take(rows.in_split("train")).frame["sample_id"].tolist()
    pairs = {"kind": ["exact", "near"], "sample_id_a": names[:2], "sample_id_b": names[2:4]}
    pd.DataFrame(pairs).to_csv(folder / "duplicates.csv", index=False)
    return folder, run_files(faces, labels, "ferclean", settings)


def audited(trained, output, **changes):
    folder, files = trained
    last = f"denoise/round_{files.settings.training.rounds}"
    call = {
        "checkpoint": folder / "ferclean" / last / "checkpoint.pt",
        "partition": folder / "ferclean" / last / "partition.parquet",
        "others": {"cross_entropy": folder / "cross_entropy" / last / "partition.parquet"},
        "duplicates": folder / "duplicates.csv",
        "output": output,
    }
    audit_run(files, **{**call, **changes})
    return pd.read_parquet(output / "audit.parquet")


@pytest.mark.slow
def test_each_training_row_has_verdict_posterior_and_evidence(trained, tmp_path):
    folder, files = trained
    table = audited(trained, tmp_path)
    rows = read_label_table(files.labels)
    training = rows.take(rows.in_split("train")).frame
    assert table["sample_id"].tolist() == training["sample_id"].tolist()
    assert table["given_label"].tolist() == training["observed"].tolist()
    last = folder / "ferclean/denoise" / f"round_{files.settings.training.rounds}"
    part = read_partition(last / "partition.parquet", rows.classes)
    np.testing.assert_allclose(table["label_quality"], part.clean_probability[0], atol=1e-5)
    columns = [f"p_{name}" for name in rows.classes]
    np.testing.assert_allclose(table[columns], part.evidence["posterior"], atol=1e-5)
    control = read_partition(
        folder / "cross_entropy/denoise" / last.name / "partition.parquet", rows.classes
    )
    np.testing.assert_array_equal(
        table["cross_entropy_clean_probability"], control.clean_probability.mean(axis=0)
    )
    assert {"margin", "neighbour_agreement", "neighbour_distance"} <= set(table)
    assert table["exact_copies"].sum() == 2 and table["near_copies"].sum() == 2
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["duplicates"]["exact"], found["duplicates"]["near"]) == (2, 2)
    assert sum(found["verdicts"].values()) == found["rows"] == len(table)
    page = (tmp_path / "index.html").read_text()
    assert "<h2>Wrong labels</h2>" in page
    if found["verdicts"]["wrong"]:
        assert page.count("data:image/jpeg;base64,") > 0


@pytest.mark.slow
def test_the_same_run_gives_the_same_files(trained, tmp_path):
    for name in ("a", "b"):
        audited(trained, tmp_path / name)
    for file in ("audit.parquet", "audit.csv", "audit.json", "index.html"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.slow
def test_what_does_not_belong_to_the_run_is_refused(trained, tmp_path):
    folder, _ = trained
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    for changes, sentence in (
        ({"duplicates": tmp_path / "absent.csv"}, "cannot read .*absent.csv"),
        ({"duplicates": tmp_path / "bad.csv"}, "bad.csv is no table of duplicates"),
        (
            {"others": {"elr": folder / "duplicates.csv"}},
            "duplicates.csv is not a readable Parquet",
        ),
    ):
        with pytest.raises(FercleanError, match=sentence):
            audited(trained, tmp_path / "o", **changes)
    assert not (tmp_path / "o").exists()


def test_running_targets_go_before_the_networks_last_word():
    said, last = np.full((4, 2), 0.5, dtype=np.float32), np.zeros((3, 4, 2), dtype=np.float32)
    score = np.zeros((3, 4), dtype=np.float32)
    plain = Partition("score", score, score, last)
    assert label_distributions(plain) is last
    kept = Partition("score", score, score, last, evidence={"running_target": said})
    np.testing.assert_array_equal(label_distributions(kept), said[None])
