from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "set"
    for seed in range(4):
        put_picture(root / "pics" / f"p {seed}.png", seed)
    put_picture(tmp_path / "secret.png", 9)
    return root


def ingest_table(folder, text=None, frame=None, name="t.csv", **data):
    path = folder / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
    if frame is not None:
        frame.to_parquet(path)
    data = {"source": "table", "path": str(path), "validation_fraction": 0} | data
    return run_ingest(folder.parent / "out", **data)


def test_path_and_label_are_enough(folder):
    table, _, summary = ingest_table(folder, "path,label\npics/p 0.png,joy\npics/p 1.png,Sad\n")
    assert summary["dataset"] == "t"
    assert table.frame["sample_id"].tolist() == ["pics/p 0.png", "pics/p 1.png"]
    assert table.frame["given"].tolist() == ["happy", "sad"]
    assert "true" not in table.frame


FULL = [("b", "pics/p 0.png", "happy", "train", "sad"), ("a", "pics/p 1.png", "sad", "test", ""),
        ("c", "pics/p 2.png", "fear", "valid", "fear")]  # fmt: skip
COLUMNS = ["sample_id", "path", "label", "split", "true"]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet"])
def test_all_columns_in_every_format(folder, name):
    frame = pd.DataFrame(FULL, columns=COLUMNS)
    if name == "t.parquet":
        frame["true"] = [value or None for value in frame["true"]]
        table, _, _ = ingest_table(folder, frame=frame, name=name)
    else:
        text = frame.to_csv(index=False, sep="\t" if name == "t.tsv" else ",")
        table, _, _ = ingest_table(folder, "\ufeff" + text.replace("\n", "\r\n"), name=name)
    assert table.frame["sample_id"].tolist() == ["a", "b", "c"]
    assert table.frame["split"].tolist() == ["test", "train", "val"]
    assert table.frame["given"].tolist() == ["sad", "happy", "fear"]
    assert table.codes("true").tolist() == [-1, 4, 1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("../secret.png,sad,train,x,", "path leads outside the data folder"),
        ("/etc/passwd,sad,train,x,", "path leads outside the data folder"),
        ("pics/none.png,sad,train,x,", "file not found"),
        ("pics,sad,train,x,", "not a regular file"),
        ("t.csv,sad,train,x,", "not a picture in a supported format"),
        (",sad,train,x,", "missing path"),
        ("pics/p 1.png,bored,train,x,", "unknown label: 'bored'"),
        ("pics/p 1.png,3.0,train,x,", "unknown label: '3.0'"),
        ("pics/p 1.png,,train,x,", "missing label"),
        ("pics/p 1.png,sad,dev,x,", "unknown split: 'dev'"),
        ("pics/p 1.png,sad,,x,", "missing split"),
        ("pics/p 1.png,sad,train,,", "missing sample_id"),
        ("pics/p 1.png,sad,train,good,", "repeated sample_id"),
        ("pics/p 1.png,sad,test,x,bored", "unknown true label: 'bored'"),
        ("pics/p\x00 1.png,sad,train,x,", "unusable path"),
        ("=cmd|' /C calc'!A0,sad,train,x,", "file not found"),
    ],
)
def test_a_bad_row_is_quarantined_and_the_good_one_stays(folder, row, reason):
    text = f"path,label,split,sample_id,true\npics/p 0.png,sad,train,good,\n{row}\n"
    table, quarantine, _ = ingest_table(folder, text)
    assert table.frame["sample_id"].tolist() == ["good"]
    assert len(quarantine) == 1
    assert quarantine["reason"].iloc[0].startswith(reason)


def test_an_unknown_truth_takes_no_row_out_of_training(folder, capsys):
    rows = "pics/p 0.png,sad,train,sad\npics/p 1.png,sad,train,bored\npics/p 2.png,sad,val,odd\n"
    table, quarantine, _ = ingest_table(folder, f"path,label,split,true\n{rows}")
    assert table.frame["path"].str[-5].tolist() == ["0", "1", "2"] and quarantine.empty
    assert table.codes("true").tolist() == [table.codes("given")[0], -1, -1]
    said = "the truth of 2 rows counts as not known, the first: unknown true label: 'bored'"
    assert said in capsys.readouterr().err


def test_a_picture_listed_twice_is_one_sample_and_no_duplicate(folder):
    text = "path,label\npics/p 0.png,sad\npics/p 0.png,happy\npics/p 1.png,sad\n"
    table, quarantine, summary = ingest_table(folder, text)
    assert table.frame["given"].tolist() == ["sad", "sad"]
    assert quarantine["reason"].tolist() == ["repeated sample_id"]
    assert summary["duplicates"]["exact"] == 0


def test_numbers_in_a_parquet_table_are_no_labels(folder):
    frame = pd.DataFrame({"path": ["pics/p 0.png"], "label": [3.0]})
    with pytest.raises(FercleanError, match="no training row can be used; 1 of 1 rows"):
        ingest_table(folder, frame=frame, name="t.parquet")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "file,label\nx,sad\n", r"column 'path' is missing \(found: file, label\)"),
        ("t.csv", "path\nx\n", "column 'label' is missing"),
        ("t.csv", "", "column 'path' is missing"),
        ("t.csv", "path,label\n", "no training row can be used; 0 of 0"),
        ("t.csv", "path,label\na,b,c\n", "line 2: expected 2 values"),
        ("t.xlsx", "x", r"must be a \.csv, \.tsv or \.parquet table"),
        ("t.parquet", "path,label\n", "as Parquet"),
    ],
)
def test_tables_that_are_none_are_one_sentence(folder, name, text, message):
    with pytest.raises(FercleanError, match=message) as caught:
        ingest_table(folder, text, name=name)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_utf8_in_parquet_is_an_error(folder):
    bad = pa.array([b"pics/\xff.png"]).view(pa.string())
    pq.write_table(pa.table({"path": bad, "label": ["sad"]}), folder / "t.parquet")
    with pytest.raises(FercleanError, match=r"t\.parquet is damaged: .*UTF8"):
        ingest_table(folder, name="t.parquet")


def test_nobody_is_held_out_in_part(folder):
    rows = [(f"pics/p {n}.png", "sad", who) for n, who in enumerate(["ann", "ann ", "bob", ""])]
    text = pd.DataFrame(rows, columns=["path", "label", "identity"]).to_csv(index=False)
    for seed in range(8):
        table, _, summary = ingest_table(folder, text, validation_fraction=0.5, seed=seed)
        frame = table.frame
        assert frame["split"].eq("val").sum() in (1, 2)
        assert len(set(frame.loc[frame["identity"].eq("ann"), "split"])) == 1
        assert summary["identities_in_several_splits"] == 0
    assert frame["identity"].isna().tolist() == [False, False, False, True]


def test_people_in_several_splits_are_told(folder, capfd):
    rows = [(f"pics/p {n}.png", "sad", "ann", split) for n, split in enumerate(["train", "test"])]
    frame = pd.DataFrame(rows, columns=["path", "label", "identity", "split"])
    _, _, summary = ingest_table(folder, frame=frame, name="t.parquet")
    assert summary["identities_in_several_splits"] == 1
    assert "1 identities stand in more than one split" in "".join(capfd.readouterr())


def test_without_identities_nothing_is_said_of_them(folder):
    _, _, summary = ingest_table(folder, "path,label\npics/p 0.png,joy\n")
    assert summary["identities_in_several_splits"] is None
