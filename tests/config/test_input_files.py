"""Files that a step reads stand among the inputs of its rule, those that files name included."""

import re

import pandas as pd
import pytest

from ferclean.config.data import DataSettings
from ferclean.config.input_files import data_inputs, files_below, word_inputs, workflow_files
from ferclean.config.semantics import SemanticsSettings
from ferclean.errors import FercleanError


def test_folders_are_listed_and_missing_names_kept(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("z.png", "b/a.png"):
        (tmp_path / name).write_text("")
    folder = str(tmp_path)
    assert files_below(None) == []
    assert files_below(folder, None, "missing.csv") == [
        f"{folder}/b/a.png",
        f"{folder}/z.png",
        "missing.csv",
    ]


@pytest.mark.parametrize("name", ["{7}.png", "a<script>.png", "b}.png"])
def test_a_name_that_snakemake_reads_as_a_placeholder_is_refused(tmp_path, name):
    (tmp_path / "good.png").touch()
    assert workflow_files(files_below(str(tmp_path))) == [f"{tmp_path}/good.png"]
    (tmp_path / name).touch()
    with pytest.raises(FercleanError, match=f"rename {re.escape(str(tmp_path / name))}"):
        workflow_files(files_below(str(tmp_path)))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_brings_its_pictures(tmp_path, suffix):
    (tmp_path / "faces").mkdir()
    for name in ("faces/b.png", "faces/a.png", "unnamed.png"):
        (tmp_path / name).touch()
    table = tmp_path / f"labels{suffix}"
    frame = pd.DataFrame(
        {"label": "happy", "path": ["faces/b.png", "faces/a.png", "faces/b.png", "gone.png", None]}
    )
    if suffix == ".parquet":
        frame.to_parquet(table)
    else:
        frame.to_csv(table, index=False, sep="\t" if suffix == ".tsv" else ",")
    found = data_inputs(DataSettings(source="table", path=str(table)))
    assert found == [str(table), f"{tmp_path}/faces/a.png", f"{tmp_path}/faces/b.png"]
    # Of a folder's table nothing is read.
    assert data_inputs(DataSettings(source="image_folder", path=str(table))) == [str(table)]


@pytest.mark.parametrize("content", [b"", b"label\nhappy\n", b"\xff\xfe", b'path\n"a', None])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_cannot_be_read_is_left_to_ingestion(tmp_path, content, suffix):
    table = tmp_path / f"labels{suffix}"
    if content is not None:
        table.write_bytes(content)
    assert data_inputs(DataSettings(source="table", path=str(table))) == [str(table)]


def test_drawn_faces_read_nothing():
    assert data_inputs(DataSettings(source="rendered", path="ignored")) == []


def test_word_vectors_bring_the_arrays_beside_their_file(tmp_path):
    path = tmp_path / "vectors.kv"
    path.touch()
    settings = SemanticsSettings(source="file", path=str(path))
    assert word_inputs(settings) == [str(path)]
    (tmp_path / "vectors.kv.vectors.npy").touch()
    assert word_inputs(settings) == [str(path), f"{path}.vectors.npy"]
    assert word_inputs(SemanticsSettings(source="affect", path=str(path))) == []
