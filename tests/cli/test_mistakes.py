"""What a user can get wrong with the real steps: one sentence, exit code 2, nothing written."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ferclean.config.steps import STEP_SECTIONS
from ferclean.tables.labels import make_table, write_label_table
from fixtures.packs import write_faces
from fixtures.step_calls import STEP_CALLS, arguments

READING = [
    step for step, call in STEP_CALLS.items() if {"FILE", "FOLDER"} & set(map(str, call.values()))
]
CLASSES = ["happy", "sad"]


def assert_one_sentence(ended, *parts: str) -> None:
    code, out, err = ended
    assert code == 2, err
    assert err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in err
    assert all(part in err.splitlines()[-1] for part in parts), err
    assert out == ""


@pytest.mark.parametrize("content", [b"", b"no such format \xff" * 200], ids=["empty", "garbage"])
@pytest.mark.parametrize("step", READING)
def test_inputs_that_are_not_what_they_should_be(step, content, here, ferclean):
    (here / "FILE").write_bytes(content)
    assert_one_sentence(ferclean(*arguments(step)))
    assert not (here / "NEW").exists() or not [f for f in (here / "NEW").rglob("*") if f.is_file()]


def labels(here, name: str, **columns: object) -> str:
    frame = pd.DataFrame(
        {"sample_id": ["a", "b"], "path": ["a", "b"], "split": "train", "given": ["happy", "sad"]}
    )
    write_label_table(make_table(frame.assign(**columns), CLASSES, "d"), here / name)
    return name


@pytest.mark.parametrize("step", ["pretrain", "partition", "train"])
def test_a_label_table_without_observed_labels(step, here, ferclean):
    write_faces(here / "faces.pack", np.zeros((2, 48, 48, 1), np.uint8))
    changes = {"labels": labels(here, "labels.parquet")}
    if "faces" in STEP_CALLS[step]:
        changes["faces"] = "faces.pack"
    assert_one_sentence(
        ferclean(*arguments(step, **changes)), "labels.parquet", "column 'observed' is missing"
    )


def test_a_csv_without_the_label_column(here, ferclean):
    (here / "mine.csv").write_text("path,emotion\na.png,happy\n")
    params = json.dumps({"data": {"source": "table", "path": "mine.csv"}})
    assert_one_sentence(ferclean(*arguments("ingest", params=params)), "mine.csv", "label")


@pytest.mark.parametrize("source", ["table", "image_folder", "fer2013_csv", "fer2013_parquet"])
def test_a_data_set_that_is_not_there(source, here, ferclean):
    params = json.dumps({"data": {"source": source, "path": "absent.csv"}})
    assert_one_sentence(ferclean(*arguments("ingest", params=params)), "absent.csv")


def test_a_noise_file_without_its_column(here, ferclean):
    (here / "noise.csv").write_text("sample_id,emotion\na,sad\n")
    call = arguments(
        "inject-noise",
        samples=labels(here, "samples.parquet", face_row=[0, 1]), kind="file",
        params=json.dumps({"noise": {"file": "noise.csv"}, "review": {}}),
    )  # fmt: skip
    assert_one_sentence(ferclean(*call), "noise.csv", "label")


@pytest.mark.parametrize("source", ["file", "corpus"])
@pytest.mark.parametrize("path", ["absent.txt", "FOLDER", "FILE"])
def test_word_vectors_without_words(source, path, here, ferclean):
    params = json.dumps({"data": {}, "semantics": {"source": source, "path": path}})
    assert_one_sentence(ferclean(*arguments("word-vectors", params=params)), path)


@pytest.mark.parametrize("run", ["../../etc/passwd", "smr", "symmetric-0.3-seed0/smrr", ""])
@pytest.mark.parametrize("step", ["summarise", "report"])
def test_a_run_that_is_none(step, run, here, ferclean):
    assert_one_sentence(ferclean(*arguments(step, run=[run])))


@pytest.mark.parametrize("step", [step for step, sections in STEP_SECTIONS.items() if sections])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("data: {\n", "params.yaml: not valid YAML at line 2"),
        ("- data\n", "params.yaml: expected a mapping of sections, found a list"),
        ("dta: {}\n", "params.yaml: unknown section 'dta'; did you mean 'data'?"),
    ],
)
def test_malformed_params(step, content, sentence, here, ferclean):
    (here / "params.yaml").write_text(content)
    assert_one_sentence(ferclean(*arguments(step)), sentence)


def test_a_missing_params_file(here, ferclean):
    (here / "params.yaml").unlink()
    assert_one_sentence(ferclean(*arguments("ingest")), "params file not found: params.yaml")
