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


def test_predictions_of_labels_learnt_by_heart_are_told(files, capsys):
    folder, labels, _ = files
    for share, told in ((0.0, True), (0.01, False)):
        said = np.where(np.arange(300) < 300 * share, (labels + 1) % 3, labels)
        np.save(folder / "in_sample.npy", np.eye(3)[said] * 0.94 + 0.02)
        audit_files(
            labels=folder / "labels.csv",
            probabilities=[folder / "in_sample.npy"],
            output=folder / "out",
            classes=CLASSES,
        )
        warned = "take predictions made out of fold" in capsys.readouterr().err
        assert warned is told


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


def write_two(folder, labels, width, *, columns=None):
    """Labels as a CSV file and probabilities that are sure of the first, the second, ... row."""
    table = folder / "l.csv"
    table.write_text("label\n" + "\n".join(map(str, labels)) + "\n")
    values = np.full((len(labels), width), 0.01)
    values[np.arange(len(labels)), columns] = 1
    np.save(folder / "p.npy", values / values.sum(axis=1, keepdims=True))
    return {"labels": table, "probabilities": [folder / "p.npy"], "output": folder / "o"}


@pytest.mark.parametrize("form", ["{}", "{}.0"])
@pytest.mark.parametrize("first", [0, 1])
def test_twelve_numbered_classes_are_not_sorted_as_text(tmp_path, capsys, first, form):
    labels = np.tile(np.arange(12), 20)
    written = [form.format(label + first) for label in labels]
    audit_files(**write_two(tmp_path, written, 12, columns=labels))
    found = json.loads((tmp_path / "o" / "audit.json").read_text())
    assert found["classes"] == [str(first + k) for k in range(12)]
    assert found["verdicts"]["wrong"] == 0
    told = f"taken for the classes {first}, {first + 1}, {first + 2}, {first + 3}, {first + 4}, "
    assert told in capsys.readouterr().err


def test_labels_that_do_not_tell_their_columns_are_refused_by_the_files_names(tmp_path):
    files = write_two(tmp_path, [1, 2, 3, 1], 4, columns=[0, 1, 2, 0])
    with pytest.raises(FercleanError, match=r"l\.csv and .*p\.npy: labels go from 1 to 3"):
        audit_files(**files)


@pytest.mark.parametrize("name", ["audit.csv", "audit.parquet"])
def test_what_is_read_is_not_written_over(files, name):
    folder, _, _ = files
    suffix = name.rpartition(".")[2]
    table = pd.read_csv(folder / "labels.csv")
    own = folder / name
    table.to_csv(own, index=False) if suffix == "csv" else table.to_parquet(own)
    before = own.read_bytes()
    with pytest.raises(FercleanError, match=rf"would write over .*{name}: name another folder"):
        audit_files(labels=own, probabilities=[folder / "probabilities.parquet"], output=folder)
    assert own.read_bytes() == before
