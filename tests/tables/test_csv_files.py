from __future__ import annotations

import pytest

from ferclean.errors import FercleanError
from ferclean.tables.csv_files import read_csv


def test_texts_stay_as_they_are_written(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("row,count\n07,1\nNA,2\n,3\n")
    assert read_csv(path, texts=("row",))["row"].tolist() == ["07", "NA", ""]
    assert read_csv(path, texts=("absent",))["count"].tolist() == [1, 2, 3]


def test_what_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "x.csv"
    with pytest.raises(FercleanError, match=r"not found: .*x\.csv"):
        read_csv(path)
    path.write_text("")
    assert list(read_csv(path, ["a", "b"])) == ["a", "b"]
    path.write_text('a,b\n"1\n')
    with pytest.raises(FercleanError, match=r"x\.csv is not a readable CSV file"):
        read_csv(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FercleanError, match="not a readable"):
        read_csv(path)
