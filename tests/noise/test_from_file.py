from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.noise.from_file import match_noise_file, read_noise_file

IDS = ["001", "002", "003", "004"]
SPLITS = np.array(["train", "train", "val", "test"])
CLASSES = ("happy", "sad")


def _write(path, rows):
    frame = pd.DataFrame(rows, columns=["sample_id", "label"])
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["noise.csv", "noise.parquet"])
def test_labels_come_in_table_order(tmp_path, name):
    path = _write(tmp_path / name, [("002", "sad"), ("001", "happy"), ("004", "sad")])
    codes = match_noise_file(read_noise_file(path), IDS, SPLITS, CLASSES)
    assert codes.tolist() == [0, 1, -1, 1]


def test_identifiers_keep_their_zeros_and_a_class_may_be_called_na(tmp_path):
    path = _write(tmp_path / "noise.csv", [("001", "NA")])
    labels = read_noise_file(path)
    assert labels.to_dict() == {"001": "NA"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("001", "sad"), ("001", "sad")], "'001' repeats"),
        ([("001", None)], "row 1 of .* lacks"),
        ([("001", "sad")], "1 training samples have no label in it, the first is '002'"),
        ([("001", "sad"), ("002", "sad"), ("9", "sad")], "not in the data set, the first is '9'"),
        ([("001", "sad"), ("002", "glad")], "label 'glad' of '002' is none of the classes"),
    ],
)
@pytest.mark.parametrize("name", ["noise.csv", "noise.parquet"])
def test_wrong_tables_are_named(tmp_path, name, rows, message):
    path = _write(tmp_path / name, rows)
    with pytest.raises(FercleanError, match=message):
        match_noise_file(read_noise_file(path), IDS, SPLITS, CLASSES)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("noise.csv", b"id,label\n1,sad\n", "no column 'sample_id'"),
        ("noise.csv", b"", "not a readable table"),
        ("noise.csv", b"\xff\xfe\x00sample_id", "not a readable table"),
        ("noise.parquet", b"sample_id,label\n", "not a readable Parquet file"),
    ],
)
def test_unreadable_files_are_named(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FercleanError, match=message):
        read_noise_file(path)


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet"])
def test_absent_file_is_named(tmp_path, name):
    with pytest.raises(FercleanError, match=r"noise\.file: (cannot read|table not found).*absent"):
        read_noise_file(tmp_path / name)
