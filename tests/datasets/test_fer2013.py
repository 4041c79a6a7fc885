from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ferclean.errors import FercleanError
from ferclean.tables.packs import EncodedPack
from fixtures.picture_files import (
    fer2013_csv_text,
    run_ingest,
    smooth_pixels,
    votes_row,
    write_fer2013_parquet,
    write_votes,
)

ROWS = [(0, 1, "Training"), (3, 2, "Training"), (6, 3, "Training"), (5, 4, "PublicTest")]
HAPPY, TIE = votes_row(happiness=9, neutral=1), votes_row(fear=5, sadness=5)


@pytest.fixture
def write(tmp_path):
    def write_rows(rows, text=None, **how):
        path = tmp_path / "fer2013.csv"
        path.write_text(fer2013_csv_text(rows) if text is None else text, **how)
        return str(path)

    return write_rows


def ingest_csv(tmp_path, path, **data):
    data = {"source": "fer2013_csv", "path": path, "validation_fraction": 0} | data
    return run_ingest(tmp_path / "out", **data)


def test_rows_become_samples_with_the_same_pixels(tmp_path, write):
    table, _, summary = ingest_csv(tmp_path, write(ROWS))
    assert table.frame["sample_id"].tolist() == [f"fer2013-{row:05d}" for row in range(4)]
    assert table.frame["path"].iloc[2] == "fer2013.csv#2"
    assert table.frame["given"].tolist() == ["angry", "happy", "neutral", "surprised"]
    assert table.frame["split"].tolist() == ["train", "train", "train", "test"]
    assert "true" not in table.frame and summary["dataset"] == "fer2013"
    data = EncodedPack(tmp_path / "out" / "pictures.arrow").picture("fer2013-00001")
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG"
    np.testing.assert_array_equal(np.asarray(picture), smooth_pixels(2)[..., 0])


def test_private_test_makes_public_test_the_validation_split(tmp_path, write):
    rows = [*ROWS, (1, 9, "PrivateTest")]
    table, _, _ = ingest_csv(tmp_path, write(rows), validation_fraction=0.5)
    assert table.frame["split"].tolist() == ["train"] * 3 + ["val", "test"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("7", 5, "Training"), "unknown label: '7 (no number 0 to 6)'"),
        (("-1", 5, "Training"), "unknown label"),
        (("2.5", 5, "Training"), "unknown label"),
        (("happy?", 5, "Training"), "unknown label"),
        (("", 5, "Training"), "missing label"),
        (("nan", 5, "Training"), "unknown label"),
        (("3", 5, "Train"), "unknown Usage: 'Train'"),
        (("3", 5, ""), "unknown Usage"),
        (("3", "", "Training"), "unreadable pixels: expected 2304, found 0"),
        (("3", "1 2 3", "Training"), "unreadable pixels: expected 2304, found 3"),
        (("3", " ".join(["1"] * 2305), "Training"), "unreadable pixels: expected 2304, found 2305"),
        (("3", " ".join(["256"] * 2304), "Training"), "unreadable pixels: not all are integers"),
        (("3", " ".join(["-1"] * 2304), "Training"), "unreadable pixels"),
        (("3", " ".join(["1.5"] * 2304), "Training"), "unreadable pixels"),
        (("3", " ".join(["x"] * 2304), "Training"), "unreadable pixels"),
    ],
)
def test_a_bad_row_is_quarantined_and_the_others_stay(tmp_path, write, row, reason):
    table, quarantine, _ = ingest_csv(tmp_path, write([*ROWS, row]))
    assert len(table) == 4
    assert quarantine["sample_id"].tolist() == ["fer2013-00004"]
    assert quarantine["reason"].iloc[0].startswith(reason)


def test_integral_floats_spaces_bom_and_crlf_are_read(tmp_path, write):
    text = fer2013_csv_text([("3.0", 1, "Training"), (" 4", 2, "Training")])
    text = "\ufeff" + text.replace("emotion,pixels,Usage", "emotion, Usage, pixels")
    lines = [line.split(",") for line in text.splitlines()]
    text = "\r\n".join([",".join(lines[0])] + [", ".join((e, u, p)) for e, p, u in lines[1:]])
    table, _, _ = ingest_csv(tmp_path, write([], text=text, encoding="utf-8"))
    assert table.frame["given"].tolist() == ["happy", "sad"]


def test_votes_belong_to_rows(tmp_path, write):
    votes = [("Training", HAPPY), ("Training", TIE), ("Training", HAPPY), ("PublicTest", HAPPY)]
    votes_path = str(write_votes(tmp_path / "fer2013new.csv", votes))
    table, quarantine, _ = ingest_csv(tmp_path, write(ROWS), votes_path=votes_path)
    assert table.frame["given"].tolist() == ["angry", "neutral", "surprised"]
    assert table.frame["true"].tolist() == ["happy"] * 3
    assert table.frame["votes_happy"].tolist() == [9] * 3
    assert table.frame["true_p_neutral"].tolist() == [0.1] * 3
    assert quarantine["reason"].tolist() == ["FER+ votes are tied"]


def test_the_winner_needs_no_readable_original_label(tmp_path, write):
    votes = [("Training", HAPPY)] * 3 + [("PublicTest", HAPPY), ("Training", HAPPY)]
    votes_path = str(write_votes(tmp_path / "fer2013new.csv", votes))
    path = write([*ROWS, ("?", 8, "Training")])
    table, _, _ = ingest_csv(tmp_path, path, votes_path=votes_path, labels="ferplus_winner")
    assert table.frame["given"].tolist() == table.frame["true"].tolist() == ["happy"] * 5


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([("Training", HAPPY)], "has 1 rows but"),
        ([("PublicTest", HAPPY)] * 4, "Usage of row 0 differs"),
    ],
)
def test_votes_of_another_file_are_an_error(tmp_path, write, votes, message):
    votes_path = str(write_votes(tmp_path / "fer2013new.csv", votes))
    with pytest.raises(FercleanError, match=message):
        ingest_csv(tmp_path, write(ROWS), votes_path=votes_path)


def parquet_rows(**changes):
    row = {"label": 3, "usage": "Training", "picture": 0, "votes": HAPPY}
    return [row, row | {"picture": 1, "usage": "PublicTest"}, row | {"picture": 2} | changes]


def ingest_parquet(tmp_path, path, **data):
    data = {"source": "fer2013_parquet", "path": str(path), "validation_fraction": 0} | data
    return run_ingest(tmp_path / "out", **data)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image_src": 2}, "not a lossless picture (image_src is not 1)"),
        ({"label": 7}, "unknown label"),
        ({"label": None}, "missing label"),
        ({"usage": "Testing"}, "unknown Usage: 'Testing'"),
        ({"votes": TIE}, "FER+ votes are tied"),
        ({"votes": votes_row(NF=9)}, "FER+ winner is not a face"),
    ],
)
def test_parquet_rows_that_cannot_be_used_are_quarantined(tmp_path, changes, reason):
    path = write_fer2013_parquet(tmp_path / "f.parquet", parquet_rows(**changes))
    table, quarantine, summary = ingest_parquet(tmp_path, path)
    assert table.frame["sample_id"].tolist() == ["fer2013-00000", "fer2013-00001"]
    assert quarantine["reason"].iloc[0].startswith(reason)
    assert summary["quarantined"] == 1


def test_parquet_keeps_the_bytes_as_they_came(tmp_path):
    path = write_fer2013_parquet(tmp_path / "f.parquet", parquet_rows())
    ingest_parquet(tmp_path, path)
    data = pq.read_table(path)["image"][2].as_py()
    assert EncodedPack(tmp_path / "out" / "pictures.arrow").picture("fer2013-00002") == data


def test_a_parquet_file_of_another_kind_is_an_error(tmp_path):
    path = write_fer2013_parquet(tmp_path / "f.parquet", parquet_rows())
    full = pq.read_table(path)
    for column in ("fp_NF", "image", "usage"):
        pq.write_table(full.drop_columns([column]), path)
        with pytest.raises(FercleanError, match=f"column '{column}' is missing"):
            ingest_parquet(tmp_path, path)
    pq.write_table(full.set_column(0, "index", pa.array(["a", "b", "c"])), path)
    with pytest.raises(FercleanError, match="'index' must hold integers"):
        ingest_parquet(tmp_path, path)
    pq.write_table(full.slice(0, 0), path)
    with pytest.raises(FercleanError, match="no training row"):
        ingest_parquet(tmp_path, path)


def test_an_image_column_without_a_picture_is_quarantined(tmp_path):
    path = write_fer2013_parquet(tmp_path / "f.parquet", parquet_rows())
    full = pq.read_table(path)
    images = [*full["image"].to_pylist()[:2], None]
    pq.write_table(full.set_column(1, "image", pa.array(images, pa.binary())), path)
    _, quarantine, _ = ingest_parquet(tmp_path, path)
    assert quarantine["reason"].tolist() == ["no picture in the row"]
