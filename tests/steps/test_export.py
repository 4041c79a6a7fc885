"""``ferclean export``: what is written is read back by the program it is meant for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ferclean.cli.app import main
from ferclean.cli.options import EXPORT_FORMATS
from ferclean.errors import FercleanError
from ferclean.export.layouts import FORMATS
from ferclean.steps.export import MARK, export
from fixtures.repaired import (
    ACTION,
    CLASSES,
    LABEL,
    OBSERVED,
    PATHS,
    SPLITS,
    picture_bytes,
    probabilities,
    row_of,
    write_audit,
    write_labels,
    write_pack,
    write_pictures,
)

ALL = {*range(len(PATHS))}
DROPPED = {8}
REPAIRED = {row: LABEL[row] if row < len(LABEL) else OBSERVED[row] for row in ALL}


@pytest.fixture
def written(tmp_path):
    """Export the small data set; return the folder."""
    table = write_labels(tmp_path / "labels.parquet")
    root = write_pictures(tmp_path / "root")

    def write(form: str, **options) -> Path:
        pictures = root if FORMATS[form].pictures else None
        given = {"output": tmp_path / "out" / form, "pictures": pictures, **options}
        export(table, form=form, **given)
        return given["output"]

    return write


def test_the_command_knows_all_formats():
    assert tuple(FORMATS) == EXPORT_FORMATS


def test_torchvision_reads_the_image_folder(written):
    datasets = pytest.importorskip("torchvision.datasets")
    folder = written("imagefolder")
    seen = {}
    for split in ("train", "val", "test"):
        read = datasets.ImageFolder(folder / split)
        for picture, code in read:
            seen[row_of(picture)] = (split, read.classes[code])
    assert set(seen) == ALL - DROPPED
    names = ("happy", "sad_blue", "angry")
    assert seen == {row: (SPLITS[row], names[REPAIRED[row]]) for row in ALL - DROPPED}
    # The ending says what a picture is, whatever its name said; a GIF has become a PNG.
    for file in folder.rglob("*.*g"):
        assert Image.open(file).format == {"png": "PNG", "jpg": "JPEG"}[file.suffix[1:]]


def test_hugging_face_datasets_reads_the_folder_with_its_metadata(written, tmp_path, monkeypatch):
    # Not the package itself: without it, this name finds the folder tests/datasets.
    loading = pytest.importorskip("datasets.load", reason="Hugging Face datasets is not installed")
    folder = written("huggingface")
    read = loading.load_dataset(
        "imagefolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache")
    )
    assert set(read) == {"train", "validation", "test"}
    seen = {}
    for split, rows in read.items():
        for entry in rows:
            row = row_of(entry["image"])
            seen[row] = (split.replace("validation", "val"), entry["label"])
            assert entry["given_label"] == CLASSES[OBSERVED[row]]
            if row < len(LABEL):
                assert entry["finding"] == ACTION[row]
                found = [entry[f"p_{name}"] for name in CLASSES]
                assert found == pytest.approx(probabilities()[row])
    assert seen == {row: (SPLITS[row], CLASSES[REPAIRED[row]]) for row in ALL - DROPPED}


def test_cleanlab_takes_issues_labels_and_probabilities(written):
    filters = pytest.importorskip("cleanlab.filter")
    classification = pytest.importorskip("cleanlab.classification")
    from sklearn.linear_model import LogisticRegression

    folder = written("cleanlab")
    issues = pd.read_csv(folder / "label_issues.csv")
    labels, chances = np.load(folder / "labels.npy"), np.load(folder / "pred_probs.npy")
    assert tuple(json.loads((folder / "classes.json").read_text())) == CLASSES
    order = issues["sample_id"].str.removeprefix("id-").astype(int).to_numpy()
    np.testing.assert_array_equal(labels, OBSERVED[order])
    np.testing.assert_allclose(chances, probabilities()[order])
    wrong = (OBSERVED[: len(LABEL)] != LABEL) | (np.array(ACTION) == "drop")
    np.testing.assert_array_equal(issues["is_label_issue"], wrong[order])
    found = filters.find_label_issues(labels, chances, filter_by="predicted_neq_given")
    np.testing.assert_array_equal(found, (OBSERVED[: len(LABEL)] != LABEL)[order])
    # cleanlab trains without the rows that the table calls wrong.
    seen = {}

    class Noting(LogisticRegression):
        def fit(self, rows, targets, sample_weight=None):
            seen["rows"] = rows[:, 0]
            return super().fit(rows, targets, sample_weight=sample_weight)

    learning = classification.CleanLearning(Noting(), find_label_issues_kwargs={"n_jobs": 1})
    picked = issues.drop(columns="sample_id")
    learning.fit(np.arange(len(labels))[:, None].astype(float), labels, label_issues=picked)
    np.testing.assert_array_equal(seen["rows"], np.flatnonzero(~issues["is_label_issue"]))


def test_label_studio_takes_the_tasks(written):
    interface = pytest.importorskip(
        "label_studio_sdk.label_interface", reason="asks for an older numpy; run by hand"
    )
    folder = written("labelstudio")
    check_label_studio(folder, interface.LabelInterface)


def check_label_studio(folder, label_interface):
    """Hold tasks and predictions against the interface by Label Studio's own validation."""
    read = label_interface((folder / "config.xml").read_text())
    tasks = json.loads((folder / "tasks.json").read_text())
    read.validate()
    for task in tasks:
        # Of a whole task with predictions the SDK (2.1) stumbles over its own signature.
        assert read.validate_task({"data": task["data"]})
        for prediction in task["predictions"]:
            assert read.validate_prediction(prediction)
    wrong = {"result": [{**tasks[0]["predictions"][0]["result"][0]}]}
    wrong["result"][0] = {**wrong["result"][0], "value": {"choices": ["none of them"]}}
    assert not read.validate_prediction(wrong)


def test_label_studios_tasks_hold_the_repaired_label_and_its_score(written):
    folder = written("labelstudio")
    tasks = {t["data"]["sample_id"]: t for t in json.loads((folder / "tasks.json").read_text())}
    assert len(tasks) == len(PATHS)
    for row in ALL:
        task = tasks[f"id-{row}"]
        place = task["data"]["image"].removeprefix("/data/local-files/?d=")
        assert row_of(Image.open(folder / place)) == row
        found = [
            (each["value"]["choices"], prediction["score"])
            for prediction in task["predictions"]
            for each in prediction["result"]
        ]
        judged = row < len(LABEL)
        assert found == ([([CLASSES[LABEL[row]]], pytest.approx(0.8))] if judged else [])


def test_fiftyone_reads_its_layout(written):
    importers = pytest.importorskip(
        "fiftyone.utils.data.importers", reason="brings a database; run by hand"
    )
    folder = written("fiftyone")
    read = importers.FiftyOneImageClassificationDatasetImporter(str(folder))
    with read:
        assert len(read) == len(PATHS)
        found = {row_of(Image.open(path)): label for path, _, label in read}
    assert set(found) == ALL
    for row, label in found.items():
        assert label.label == CLASSES[REPAIRED[row]]
        if row < len(LABEL):
            assert label.confidence == pytest.approx(0.8)
            assert label["finding"] == ACTION[row]


def test_fiftyones_layout_is_the_documented_one(written):
    """See "FiftyOneImageClassificationDataset" in FiftyOne's guide to importing data sets."""
    folder = written("fiftyone")
    told = json.loads((folder / "labels.json").read_text())
    assert set(told) == {"classes", "labels"} and tuple(told["classes"]) == CLASSES
    files = {file.stem: file for file in (folder / "data").iterdir()}
    assert set(files) == set(told["labels"])
    for stem, entry in told["labels"].items():
        assert entry["label"] == REPAIRED[row_of(Image.open(files[stem]))]


def test_a_csv_tells_every_row(written):
    folder = written("csv")
    table = pd.read_csv(folder / "labels.csv").set_index("sample_id")
    assert len(table) == len(PATHS) and "true" not in table
    for row in ALL:
        entry = table.loc[f"id-{row}"]
        assert entry["label"] == CLASSES[REPAIRED[row]] and entry["path"] == PATHS[row]
    note = json.loads((folder / MARK).read_text())
    assert (note["rows"], note["changed"], note["left_out"]) == (12, 2, 0)


def test_an_audit_is_exported_as_well(tmp_path):
    table = write_audit(tmp_path / "audit.parquet")
    root = write_pictures(tmp_path / "root")
    export(table, form="imagefolder", output=tmp_path / "out", pictures=root)
    seen = {row_of(Image.open(f)): f.parent.name for f in (tmp_path / "out/train").rglob("*.*")}
    names = ("happy", "sad_blue", "angry")
    assert seen == {row: names[LABEL[row]] for row in range(8)}
    export(table, form="csv", output=tmp_path / "csv")
    told = pd.read_csv(tmp_path / "csv" / "labels.csv")
    assert told["finding"].tolist()[4] == "ambiguous" and len(told) == 9


def test_pictures_are_found_in_the_run_of_the_table(tmp_path):
    (tmp_path / "results/evaluate/none/smr").mkdir(parents=True)
    (tmp_path / "results/prepare/ingest").mkdir(parents=True)
    table = write_labels(tmp_path / "results/evaluate/none/smr/labels.parquet")
    with pytest.raises(FercleanError, match="no pictures were found for"):
        export(table, form="fiftyone", output=tmp_path / "out")
    write_pack(tmp_path / "results/prepare/ingest/pictures.arrow")
    export(table, form="fiftyone", output=tmp_path / "out")
    assert {row_of(Image.open(file)) for file in (tmp_path / "out/data").iterdir()} == ALL
    with pytest.raises(FercleanError, match="--link needs the folder of the pictures"):
        export(table, form="fiftyone", output=tmp_path / "linked", link=True)


def test_links_lead_to_the_pictures_and_what_not_all_read_is_copied(written, tmp_path):
    folder = written("imagefolder", link=True)
    for file in folder.rglob("*.*g"):
        row = row_of(Image.open(file))
        if row == 5:
            assert not file.is_symlink() and Image.open(file).format == "PNG"
        else:
            assert file.is_symlink() and file.resolve() == (tmp_path / "root" / PATHS[row])
            assert file.read_bytes() == picture_bytes(row)


def paths_changed(tmp_path, **changed):
    """Write an audit in which some rows have another sample_id (which is their path)."""
    table = write_audit(tmp_path / "audit.parquet")
    frame = pd.read_parquet(table)
    names = frame["sample_id"].to_list()
    for row, name in changed.items():
        names[int(row[1:])] = name
    frame.assign(sample_id=names).to_parquet(table)
    return table


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "out.png", "none.png"])
def test_no_path_leads_out_of_the_data_or_the_target(name, link, tmp_path):
    root = write_pictures(tmp_path / "root")
    (tmp_path / "secret.png").write_bytes(picture_bytes(0))
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    table = paths_changed(tmp_path, r0=name)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FercleanError, match="cannot be exported"):
        export(table, form="imagefolder", output=tmp_path / "out", pictures=root, link=link)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_is_no_picture_leaves_nothing_behind(tmp_path):
    root = write_pictures(tmp_path / "root")
    (root / PATHS[7]).write_bytes(b"text")
    table = write_labels(tmp_path / "labels.parquet")
    with pytest.raises(FercleanError, match="'id-7' cannot be exported: not a picture"):
        export(table, form="huggingface", output=tmp_path / "out", pictures=root)
    # A GIF that breaks off is seen only when it is converted, in the middle of the work.
    (root / PATHS[7]).write_bytes(picture_bytes(7))
    (root / PATHS[5]).write_bytes(picture_bytes(5)[:-30])
    with pytest.raises(FercleanError, match="'id-5' cannot be exported: unreadable"):
        export(table, form="huggingface", output=tmp_path / "out", pictures=root)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["labels.parquet", "root"]


def test_only_an_earlier_export_is_replaced_and_only_if_asked(written, tmp_path):
    folder = written("csv")
    with pytest.raises(FercleanError, match="exists already; name another one"):
        written("csv")
    (folder / "old.txt").write_text("x")
    written("csv", overwrite=True)
    assert sorted(file.name for file in folder.iterdir()) == [MARK, "labels.csv"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("x")
    for path in (mine, mine / "thesis.txt"):
        with pytest.raises(FercleanError, match="exists already"):
            written("csv", overwrite=True, output=path)
    assert (mine / "thesis.txt").read_text() == "x"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["labels.parquet", "mine", "out", "root"]


def test_equal_tables_give_equal_folders(written, tmp_path):
    one = {f.name: f.read_bytes() for f in written("fiftyone").rglob("*.*")}
    two = {f.name: f.read_bytes() for f in written("fiftyone", overwrite=True).rglob("*.*")}
    assert one == two and len(one) == len(PATHS) + 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["labels.parquet", "--format", "imagefoldr"], "did you mean 'imagefolder'?"),
        (["nothing", "--format", "csv"], "table must be a file, found nothing at nothing"),
        (["text", "--format", "csv"], "text is not a readable Parquet file"),
        (["other.parquet", "--format", "csv"], "column 'sample_id' is missing"),
        (["labels.parquet", "--format", "csv", "--link"], "format csv holds no pictures"),
    ],
)
def test_mistakes_are_told_in_a_sentence(options, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_labels(tmp_path / "labels.parquet")
    (tmp_path / "text").write_text("x")
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "other.parquet")
    monkeypatch.setattr(sys, "argv", ["ferclean", "export", *options, "--out", "o"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2 and sentence in told and told.count("\n") == 1
    assert not (tmp_path / "o").exists()
