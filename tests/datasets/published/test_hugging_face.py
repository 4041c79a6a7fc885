from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferclean.datasets.published.hugging_face import HF_IMAGEFOLDER
from ferclean.datasets.registry import published_facts
from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest

CLASSES = ["surprised", "fear", "disgusted", "happy", "sad", "angry", "neutral"]
FORMS = ["csv", "jsonl", "parquet"]


def put_metadata(folder, form, rows, *, ends="\n", mark="", columns=("file_name", "label")):
    """Write rows of (file_name, label) and a further column, as the format has them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"metadata.{form}"
    named = [dict(zip(columns, row, strict=False)) | {"text": "a, b"} for row in rows]
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(named), path)
        return path
    if form == "jsonl":
        lines = [json.dumps(row, ensure_ascii=False) for row in named]
    else:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(
            [[*columns, "text"], *([row[name] for name in (*columns, "text")] for row in named)]
        )
        lines = stream.getvalue().splitlines()
    path.write_bytes((mark + "".join(line + ends for line in lines)).encode())
    return path


def put_set(root, form, rows, **options):
    path = put_metadata(root, form, rows, **options)
    for seed, (name, _) in enumerate(rows):
        put_picture(root / name, seed, form="JPEG")
    return path


def ingest(tmp_path, **data):
    settings = {"source": "hf_imagefolder", "path": str(tmp_path / "set"), "classes": CLASSES}
    return run_ingest(tmp_path / "out", **settings | {"validation_fraction": 0} | data)


def rows(table):
    frame = table.frame
    return list(zip(frame["sample_id"], frame["split"], frame["given"], strict=True))


def refused(quarantine):
    return dict(zip(quarantine["sample_id"], quarantine["reason"], strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_one_file_for_the_whole_folder(tmp_path, form):
    put_set(tmp_path / "set", form, [("b 1.jpg", "Happy"), ("faces/ü 笑.jpg", "anger")])
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "set" and len(quarantine) == 0
    assert rows(table) == [("b 1.jpg", "train", "happy"), ("faces/ü 笑.jpg", "train", "angry")]
    assert table.frame["path"].tolist() == table.frame["sample_id"].tolist()


@pytest.mark.parametrize("form", FORMS)
def test_a_file_for_each_split(tmp_path, form):
    for seed, (folder, label) in enumerate([("train", 0), ("validation", 3), ("test", 6)]):
        put_metadata(tmp_path / "set" / folder, form, [("0001.jpg", label)])
        put_picture(tmp_path / "set" / folder / "0001.jpg", seed, form="JPEG")
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    assert rows(table) == [
        ("test/0001.jpg", "test", "neutral"),
        ("train/0001.jpg", "train", "surprised"),
        ("validation/0001.jpg", "val", "happy"),
    ]


def test_one_file_that_names_folders_of_splits(tmp_path):
    names = [
        "Train/a.jpg",
        "validation/sub/b.jpg",
        "test/c.jpg",
        "other/d.jpg",
        "test-1.jpg",
        "val",
    ]
    put_set(tmp_path / "set", "csv", [(name, "sad") for name in names])
    table, _, _ = ingest(tmp_path)
    split = {name: split for name, split, _ in rows(table)}
    assert [split[name] for name in names] == ["train", "val", "test", *["train"] * 3]


@pytest.mark.parametrize("form", FORMS)
def test_numbers_count_from_zero_in_the_order_of_the_classes(tmp_path, form):
    put_set(tmp_path / "set", form, [(f"{number}.jpg", number) for number in range(7)])
    table, _, _ = ingest(tmp_path)
    assert table.frame["given"].tolist() == CLASSES


def test_numbers_of_a_column_with_gaps(tmp_path):
    put_set(tmp_path / "set", "parquet", [("a.jpg", 3.0), ("b.jpg", None), ("c.jpg", 1.5)])
    table, quarantine, _ = ingest(tmp_path)
    assert rows(table) == [("a.jpg", "train", "happy")]
    assert refused(quarantine) == {
        "b.jpg": "missing label",
        "c.jpg": "unknown label: '1.5 (no number 0 to 6)'",
    }


def test_a_name_that_is_a_number_counts_as_the_name(tmp_path):
    put_set(tmp_path / "set", "jsonl", [("a.jpg", 1), ("b.jpg", "0"), ("c.jpg", 2)])
    table, quarantine, _ = ingest(tmp_path, classes=["1", "0"])
    assert rows(table) == [("a.jpg", "train", "1"), ("b.jpg", "train", "0")]
    assert refused(quarantine) == {"c.jpg": "unknown label: '2 (no number 0 to 1)'"}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize(("ends", "mark"), [("\r\n", ""), ("\n\n", ""), ("\n", "\ufeff")])
def test_line_ends_blank_lines_and_marks(tmp_path, form, ends, mark):
    put_set(tmp_path / "set", form, [("a.jpg", 3), ("b.jpg", "sad")], ends=ends, mark=mark)
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    assert rows(table) == [("a.jpg", "train", "happy"), ("b.jpg", "train", "sad")]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "label", "reason"),
    [
        ("x.jpg", "bored", "unknown label: 'bored'"),
        ("x.jpg", "7", "unknown label: '7 (no number 0 to 6)'"),
        ("x.jpg", "-1", "unknown label: '-1 (no number 0 to 6)'"),
        ("x.jpg", "", "missing label"),
        ("none.jpg", "sad", "file not found"),
        ("link.jpg", "sad", "path leads outside the data folder"),
        ("../secret.jpg", "sad", "file_name leads outside the folder of metadata.{form}"),
        ("a/../../secret.jpg", "sad", "file_name leads outside the folder of metadata.{form}"),
        ("/etc/hostname", "sad", "file_name leads outside the folder of metadata.{form}"),
        ("good.jpg", "sad", "repeated sample_id"),
        (" ", "sad", "missing file_name"),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined(tmp_path, form, name, label, reason):
    put_set(tmp_path / "set", form, [("good.jpg", "fear"), ("x.jpg", "fear")])
    put_picture(tmp_path / "secret.jpg", 50, form="JPEG")
    (tmp_path / "set" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    put_metadata(tmp_path / "set", form, [("good.jpg", "fear"), (name, label)])
    table, quarantine, _ = ingest(tmp_path)
    assert rows(table) == [("good.jpg", "train", "fear")]
    assert refused(quarantine) == {name.strip(): reason.format(form=form)}


def test_a_split_names_no_picture_of_another(tmp_path):
    root = tmp_path / "set"
    put_metadata(root / "train", "csv", [("a.jpg", "sad"), ("../test/a.jpg", "sad"), ("/b", "sad")])
    put_metadata(root / "test", "csv", [("a.jpg", "sad")])
    for seed, split in enumerate(("train", "test")):
        put_picture(root / split / "a.jpg", seed, form="JPEG")
    table, quarantine, _ = ingest(tmp_path)
    assert [row[:2] for row in rows(table)] == [("test/a.jpg", "test"), ("train/a.jpg", "train")]
    said = "file_name leads outside the folder of metadata.csv"
    assert refused(quarantine) == {"../test/a.jpg": said, "/b": said}


@pytest.mark.parametrize(
    "line",
    [
        '["a.jpg", 1]',
        '"a.jpg"',
        "3",
        '{"label": 1}',
        '{"file_name": 3}',
        '{"file_name": null}',
        "{file_name: a.jpg}",
        '{"file_name": "\\ud800.jpg", "label": 1}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_object_with_a_file_name_is_said(tmp_path, line):
    path = put_set(tmp_path / "set", "jsonl", [("a.jpg", 3)])
    path.write_text(path.read_text() + "\n" + line + "\n")
    with pytest.raises(FercleanError, match=r"metadata\.jsonl, line 3: expected a JSON object wit"):
        ingest(tmp_path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("columns", [("file", "label"), ("file_name", "caption")])
def test_a_missing_column_is_said(tmp_path, form, columns):
    put_metadata(tmp_path / "set", form, [("a.jpg", 3)], columns=columns)
    missing = "file_name" if "file" in columns else "label"
    said = rf"metadata\.{form}(: column '{missing}' is missing|, line 1: .* text file_name)"
    with pytest.raises(FercleanError, match=said):
        ingest(tmp_path)


def test_no_metadata_is_said(tmp_path):
    put_picture(tmp_path / "set" / "train" / "happy" / "a.jpg", 1, form="JPEG")
    with pytest.raises(FercleanError, match=r"no metadata\.csv, .*data\.source to image_folder"):
        ingest(tmp_path)
    with pytest.raises(FercleanError, match=r"must be a folder with a metadata file, found .*none"):
        ingest(tmp_path, path=str(tmp_path / "none"))


def test_metadata_that_contradict_each_other_are_said(tmp_path):
    root = tmp_path / "set"
    put_set(root, "csv", [("a.jpg", 3)])
    put_metadata(root, "jsonl", [("a.jpg", 4)])
    with pytest.raises(FercleanError, match=r"metadata\.csv and metadata\.jsonl are both there"):
        ingest(tmp_path)
    (root / "metadata.jsonl").unlink()
    put_metadata(root / "test", "jsonl", [("a.jpg", 4)])
    with pytest.raises(
        FercleanError, match=r"set/metadata\.csv and .*test/metadata\.jsonl both na"
    ):
        ingest(tmp_path)
    (root / "metadata.csv").unlink()
    (root / "train").mkdir()
    with pytest.raises(FercleanError, match=r"set/train holds no metadata.*set/test holds one"):
        ingest(tmp_path)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_files_that_are_none_are_said(tmp_path, form):
    path = put_set(tmp_path / "set", form, [("a.jpg", 3)])
    path.write_text("file_name,label\n" if form == "csv" else "\n\n")
    with pytest.raises(FercleanError, match=rf"metadata\.{form} names no picture"):
        ingest(tmp_path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FercleanError, match=rf"metadata\.{form} is not UTF-8 text"):
        ingest(tmp_path)


def test_other_settings_are_refused(tmp_path):
    put_set(tmp_path / "set", "csv", [("a.jpg", 3)])
    with pytest.raises(FercleanError, match=r"labels_path x is not read by data.source hf_imagef"):
        ingest(tmp_path, labels_path="x")
    with pytest.raises(FercleanError, match=r"data\.variant 'clean'"):
        ingest(tmp_path, variant="clean")
    (tmp_path / "set" / "metadata.csv").unlink()
    (tmp_path / "set" / "metadata.parquet").write_text("no table")
    with pytest.raises(FercleanError, match=r"cannot read .*metadata\.parquet as Parquet"):
        ingest(tmp_path)


def test_the_layout_is_known_by_its_name():
    assert published_facts("hf_imagefolder") is HF_IMAGEFOLDER
