import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ferclean.cli.app import app
from ferclean.errors import FercleanError
from ferclean.steps.audit import audit_files

CLASSES = ["sad", "happy", "angry"]


@pytest.fixture
def files(tmp_path):
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(3, 0.2), 300)
    true = probabilities.argmax(axis=1)
    labels = np.where(random.random(300) < 0.2, (true + 1) % 3, true)
    names = [f"f{row}" for row in range(300)]
    table = pd.DataFrame({"sample_id": names, "label": [CLASSES[k] for k in labels]})
    table.to_csv(tmp_path / "labels.csv", index=False)
    columns = {f"p_{name}": probabilities[:, k] for k, name in enumerate(CLASSES)}
    mixed = pd.DataFrame({"sample_id": names, **columns}).sample(frac=1, random_state=0)
    mixed.to_parquet(tmp_path / "probabilities.parquet")
    np.save(tmp_path / "probabilities.npy", probabilities)
    return tmp_path, labels, true


def test_all_ways_of_writing_the_same_give_the_same_audit(files):
    folder, labels, true = files
    first = [folder / "probabilities.parquet"]
    audit_files(labels=folder / "labels.csv", probabilities=first, output=folder / "a")
    audit_files(
        labels=folder / "labels.csv",
        probabilities=[folder / "probabilities.npy"],
        output=folder / "b",
        classes=CLASSES,
    )
    tables = [pd.read_parquet(folder / name / "audit.parquet") for name in "ab"]
    pd.testing.assert_frame_equal(*tables, check_exact=False, atol=1e-6)
    assert tables[0]["sample_id"].tolist() == [f"f{row}" for row in range(300)]
    text = pd.read_csv(folder / "a" / "audit.csv")
    assert text.columns.tolist() == tables[0].columns.tolist() and len(text) == 300
    np.testing.assert_allclose(text["label_quality"], tables[0]["label_quality"], rtol=1e-5)
    found = json.loads((folder / "a" / "audit.json").read_text())
    assert found["rows"] == 300 and found["classes"] == CLASSES
    repaired = (tables[0]["suggested_label"] == np.array(CLASSES)[true]).mean()
    assert repaired > (labels == true).mean() + 0.1


def test_the_command_says_what_it_found_and_several_files_are_an_ensemble(files):
    folder, _, _ = files
    files_of_both = ["--pred-probs", str(folder / "probabilities.npy")] * 2
    command = ["audit", "--labels", str(folder / "labels.csv"), *files_of_both]
    options = ["--out", str(folder / "o"), "--classes", "sad, happy,angry"]
    done = CliRunner().invoke(app, [*command, *options])
    assert done.exit_code == 0, done.output
    assert len(json.loads((folder / "o" / "audit.json").read_text())["temperatures"]) == 2


def test_without_class_names_the_sorted_labels_number_the_columns(files):
    folder, _, _ = files
    audit_files(
        labels=folder / "labels.csv",
        probabilities=[folder / "probabilities.npy"],
        output=folder / "o",
    )
    assert json.loads((folder / "o" / "audit.json").read_text())["classes"] == sorted(CLASSES)


def test_what_cannot_be_audited_leaves_the_last_result_alone(files):
    folder, _, _ = files
    good, bad = folder / "probabilities.npy", folder / "bad.npy"
    audit_files(labels=folder / "labels.csv", probabilities=[good], output=folder / "o")
    before = (folder / "o" / "audit.csv").read_bytes()
    np.save(bad, np.load(good) * 2)
    with pytest.raises(FercleanError, match=r"bad\.npy: every row .* sum to 1"):
        audit_files(labels=folder / "labels.csv", probabilities=[bad], output=folder / "o")
    assert (folder / "o" / "audit.csv").read_bytes() == before
    assert sorted(path.name for path in (folder / "o").iterdir()) == [
        "audit.csv",
        "audit.json",
        "audit.parquet",
        "index.html",
    ]
