"""A table with the labels of single annotators, from ingestion to the end of a run."""

import numpy as np
import pandas as pd
import pytest
import torch

from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.steps.align import align
from ferclean.steps.chain import train_all_rounds
from ferclean.steps.evaluate import evaluate
from ferclean.steps.inject_noise import inject_noise
from ferclean.steps.training_inputs import RunFiles, open_training
from ferclean.tables.labels import TRAINING_COLUMNS, read_label_table, read_training_table
from ferclean.train.state import load_torch
from fixtures.picture_files import put_picture, run_ingest
from fixtures.small_data import small_settings

CLASSES = ("fear", "happy", "sad")
COLUMNS = ("annotation_anna", "annotation_ben", "annotation_cem")
ROWS = 60


@pytest.fixture
def table(tmp_path):
    for row in range(ROWS):
        put_picture(tmp_path / f"set/{row}.png", row)
    random = np.random.default_rng(0)
    label = random.choice(CLASSES, ROWS)
    frame = pd.DataFrame(
        {
            "path": [f"{row}.png" for row in range(ROWS)],
            "label": label,
            "sample_id": [f"s{row:02d}" for row in range(ROWS)],
            "split": np.where(np.arange(ROWS) % 4 == 0, "test", "train"),
            "anna": label,
            "cem": np.where(random.random(ROWS) < 0.5, "", random.choice(CLASSES, ROWS)),
            "ben": random.choice(CLASSES, ROWS),
        }
    )
    return frame


def prepare(folder, frame, name="t.csv", annotators=("anna", "ben", "cem"), kind="none"):
    """Run ingest, align and inject-noise; return faces and labels."""
    path = folder / "set" / name
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.assign(cem=frame["cem"].replace("", None)).to_parquet(path)
    data = {
        "source": "table",
        "path": str(path),
        "classes": list(CLASSES),
        "annotators": list(annotators),
        "validation_fraction": 0.1,
    }
    ingested = run_ingest(folder / "ingest", **data)
    options = {"detector": "already_aligned", "size": 24, "color": "grey"}
    align(
        samples=folder / "ingest/samples.parquet",
        pictures=folder / "ingest/pictures.arrow",
        output=folder / "align",
        settings=build_settings({"data": data, "align": options}, ["data", "align"]),
    )
    inject_noise(
        samples=folder / "align/samples.parquet",
        faces=folder / "align/faces.pack",
        output=folder / "noise",
        kind=kind,
        rate=0.4,
        seed=0,
        settings=build_settings({"noise": {}, "review": {}}, ["noise", "review"]),
    )
    return ingested, folder / "align/faces.pack", folder / "noise/labels.parquet"


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_annotations_reach_training_as_they_were_given(tmp_path, monkeypatch, table, name):
    monkeypatch.chdir(tmp_path)
    _, faces, labels = prepare(tmp_path, table, name)
    written, training = read_label_table(labels), read_training_table(labels)
    assert written.annotations == training.annotations == COLUMNS
    assert tuple(training.frame.columns) == (*TRAINING_COLUMNS, *COLUMNS)
    expected = table.set_index("sample_id").loc[written.frame["sample_id"]]
    for column in COLUMNS:
        said = expected[column.removeprefix("annotation_")]
        codes = [CLASSES.index(value) if value else -1 for value in said]
        assert written.codes(column).tolist() == codes
    files = RunFiles(faces, labels, "ltnet", 0, "cpu", small_settings())
    with open_training(files) as inputs:
        rows = written.in_split("train")
        given = np.stack([written.codes(column)[rows] for column in COLUMNS], axis=1)
        np.testing.assert_array_equal(inputs.run.context.side["annotations"], given)


def test_annotations_do_not_give_injected_noise_away(tmp_path, table, capsys):
    _, _, labels = prepare(tmp_path, table, kind="symmetric")
    written = read_label_table(labels)
    assert (written.codes("observed") != written.codes("given")).sum() > 5
    assert written.annotations == read_training_table(labels).annotations == ()
    assert "labels of single annotators are left out" in capsys.readouterr().err


@pytest.mark.slow
def test_a_whole_run_explains_every_annotator(tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    _, faces, labels = prepare(tmp_path, table)
    files = RunFiles(faces, labels, "ltnet", 0, "cpu", small_settings())
    train_all_rounds(files, pretrained=tmp_path / "pretrain", denoised=tmp_path / "denoise")
    content = load_torch(tmp_path / "denoise/round_2/checkpoint.pt", torch.device("cpu"))
    matrices = content["networks"][0]["heads.transitions.matrices"]
    assert matrices.shape == (4, 3, 3) and not torch.equal(matrices[0], matrices[2])
    evaluate(
        labels=labels,
        pretrain=tmp_path / "pretrain",
        denoise=tmp_path / "denoise",
        rounds=2,
        output=tmp_path / "evaluate",
        settings=build_settings({"evaluate": {}}, ["evaluate"]),
    )
    judged = read_label_table(tmp_path / "evaluate/labels.parquet")
    assert judged.annotations == COLUMNS and judged.frame["suggested_label"].notna().any()


@pytest.mark.slow
def test_other_methods_do_not_look_at_annotations(tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    checkpoints = []
    for name, annotators in (("with", ("anna", "ben")), ("without", ())):
        folder = tmp_path / name
        for row in range(ROWS):
            put_picture(folder / f"set/{row}.png", row)
        _, faces, labels = prepare(folder, table, annotators=annotators)
        files = RunFiles(faces, labels, "cross_entropy", 0, "cpu", small_settings())
        train_all_rounds(files, pretrained=folder / "pretrain", denoised=folder / "denoise")
        checkpoints.append((folder / "denoise/round_2/checkpoint.pt").read_bytes())
    assert checkpoints[0] == checkpoints[1]


def test_an_annotation_of_no_class_is_quarantined_and_an_empty_one_is_not(tmp_path, table):
    table.loc[3, "ben"] = "bored"
    (samples, quarantine, _), *_ = prepare(tmp_path, table)
    assert quarantine["reason"].tolist() == ["unknown label of ben: 'bored'"]
    assert samples.codes("annotation_cem").min() == -1


def test_a_column_that_the_table_lacks_is_named(tmp_path, table):
    with pytest.raises(FercleanError, match="column 'dora' is missing"):
        prepare(tmp_path, table, annotators=("dora",))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"annotators": ["a"]}, "data.annotators is only read by data.source table"),
        ({"source": "table", "path": "t.csv", "annotators": ["a", "a"]}, "different columns"),
        ({"source": "table", "path": "t.csv", "annotators": ["label"]}, "other than path, label"),
        ({"source": "table", "path": "t.csv", "annotators": [" "]}, "must name different"),
    ],
)
def test_names_that_cannot_be_are_one_sentence(data, message):
    with pytest.raises(FercleanError, match=message):
        build_settings({"data": data}, ["data"])
