"""Opening files that other people made; the catalogue of hostile inputs has many more."""

from __future__ import annotations

import io
import os
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferclean.errors import FercleanError
from ferclean.tables.inputs import (
    memo_is_honest,
    read_array,
    read_parquet_frame,
    read_text_table,
    require_columns,
    require_no_device,
)


def test_pipes_and_devices_are_refused_and_the_rest_is_left_to_who_opens_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(FercleanError, match=f"{name} is no file but a pipe, socket or device"):
            require_no_device(tmp_path / name)
    for path in (tmp_path, tmp_path / "absent", tmp_path / "a\0b"):
        require_no_device(path)


def test_columns_are_wanted_once(tmp_path):
    require_columns(tmp_path, ["a", "b", "c", "c"], ["a"], ["b", "d"])
    with pytest.raises(FercleanError, match=r"column 'd' is missing \(found: a, b\)"):
        require_columns(tmp_path, ["a", "b"], ["d"])
    with pytest.raises(FercleanError, match="two columns 'b'"):
        require_columns(tmp_path, ["a", "b", "b"], ["a"], ["b"])


def test_whole_numbers_stay_whole_where_some_are_missing(tmp_path):
    columns = {"a": pa.array([1, None], pa.uint8()), "b": [1, 2], "c": ["x", None]}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    found = read_parquet_frame(tmp_path / "x.parquet", "table")
    assert found["a"].dtype == pd.UInt8Dtype() and found["b"].dtype == np.int64
    assert found["a"].tolist()[0] == 1 and found["a"].isna().tolist() == [False, True]


def test_an_index_is_a_column_and_one_without_a_name_is_none(tmp_path):
    frame = pd.DataFrame({"p": [1.0, 2.0]}, index=[5, 3])
    frame.to_parquet(tmp_path / "bare.parquet")
    assert list(read_parquet_frame(tmp_path / "bare.parquet", "table")) == ["p"]
    frame.rename_axis("sample_id").to_parquet(tmp_path / "named.parquet")
    found = read_parquet_frame(tmp_path / "named.parquet", "table")
    assert found["sample_id"].tolist() == [5, 3]


def test_cells_of_text_stay_as_they_stand(tmp_path):
    (tmp_path / "t.csv").write_bytes("\ufeffa, b\r\n03,NA\r\n,None\r\n".encode())
    assert read_text_table(tmp_path / "t.csv").to_dict("list") == {
        "a": ["03", ""],
        "b": ["NA", "None"],
    }


@pytest.mark.parametrize("values", [np.arange(6).reshape(2, 3), np.array(["a", "bc"]), np.zeros(0)])
def test_arrays_come_back_read_only(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    found = read_array(tmp_path / "x.npy")
    np.testing.assert_array_equal(found, values)
    assert not found.flags.writeable


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_number_their_objects_one_by_one(protocol):
    value = [[str(number)] for number in range(2000)]
    stream = io.BytesIO(b"before" + pickle.dumps(value * 2, protocol))
    stream.seek(6)
    assert memo_is_honest(stream) and stream.tell() == 6


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"p2147483647\n", b"q\xff"])
def test_a_number_that_is_too_large_is_seen(put):
    assert not memo_is_honest(io.BytesIO(b"\x80\x02}" + put + b"."))
