from __future__ import annotations

import os

import pytest

from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest


def ingest_folder(tmp_path, **data):
    data = {
        "source": "image_folder",
        "path": str(tmp_path / "set"),
        "validation_fraction": 0,
    } | data
    return run_ingest(tmp_path / "out", **data)


def reasons(quarantine):
    return dict(zip(quarantine["path"], quarantine["reason"], strict=True))


def test_class_folders_are_training_rows(tmp_path):
    put_picture(tmp_path / "set" / "Happiness" / "a b ü.png", 1)
    put_picture(tmp_path / "set" / "angry" / "session, 1" / "x.jpg", 2, form="JPEG")
    (tmp_path / "set" / ".git").mkdir()
    (tmp_path / "set" / ".git" / "config").write_text("x")
    (tmp_path / "set" / "angry" / "Thumbs.db").write_text("x")
    table, quarantine, summary = ingest_folder(tmp_path)
    assert summary["dataset"] == "set" and len(quarantine) == 0
    assert table.frame["sample_id"].tolist() == ["Happiness/a b ü.png", "angry/session, 1/x.jpg"]
    assert table.frame["path"].tolist() == table.frame["sample_id"].tolist()
    assert table.frame["given"].tolist() == ["happy", "angry"]
    assert table.frame["split"].tolist() == ["train", "train"]
    assert table.frame["width"].tolist() == [48, 48]


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Validation"])
def test_split_folders_stand_above_class_folders(tmp_path, name):
    put_picture(tmp_path / "set" / "train" / "sad" / "a.png", 1)
    put_picture(tmp_path / "set" / name / "sad" / "a.png", 2)
    put_picture(tmp_path / "set" / "test" / "fear" / "a.png", 3)
    table, _, _ = ingest_folder(tmp_path, validation_fraction=0.5)
    assert dict(zip(table.frame["sample_id"], table.frame["split"], strict=True)) == {
        "train/sad/a.png": "train", f"{name}/sad/a.png": "val", "test/fear/a.png": "test",
    }  # fmt: skip


def test_files_out_of_place_are_quarantined_with_the_reason(tmp_path):
    root = tmp_path / "set"
    put_picture(root / "train" / "sad" / "good.png", 1)
    put_picture(root / "train" / "stray.png", 2)
    put_picture(root / "stray.png", 3)
    put_picture(root / "extra" / "sad" / "x.png", 4)
    put_picture(root / "train" / "bored" / "x.png", 5)
    (root / "train" / "sad" / "empty.png").write_bytes(b"")
    (root / "train" / "sad" / "text.jpg").write_text("no picture")
    put_picture(root / "train" / "sad" / "really_a_png.jpg", 6)
    put_picture(tmp_path / "secret.png", 7)
    (root / "train" / "sad" / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "train" / "happy").symlink_to(tmp_path)
    table, quarantine, _ = ingest_folder(tmp_path)
    assert table.frame["sample_id"].tolist() == [
        "train/sad/good.png", "train/sad/really_a_png.jpg",
    ]  # fmt: skip
    assert reasons(quarantine) == {
        "extra/sad/x.png": "unknown split: 'extra'",
        "stray.png": "missing label",
        "train/bored/x.png": "unknown label: 'bored'",
        "train/happy/": "link to a folder is not followed",
        "train/sad/empty.png": "empty file",
        "train/sad/link.png": "path leads outside the data folder",
        "train/sad/text.jpg": "not a picture in a supported format",
        "train/stray.png": "missing label",
    }


def test_a_file_name_that_is_not_utf8_is_quarantined(tmp_path):
    put_picture(tmp_path / "set" / "sad" / "good.png", 1)
    folder = os.fsencode(tmp_path / "set" / "sad")
    with open(folder + b"/bad\xff.png", "wb") as stream:  # noqa: PTH123
        stream.write((tmp_path / "set" / "sad" / "good.png").read_bytes())
    _, quarantine, _ = ingest_folder(tmp_path)
    assert reasons(quarantine) == {"sad/bad\\udcff.png": "file name is not valid UTF-8"}


def test_own_classes_are_taken_from_the_settings(tmp_path):
    put_picture(tmp_path / "set" / "confused" / "a.png", 1)
    put_picture(tmp_path / "set" / "joy" / "a.png", 2)
    table, _, _ = ingest_folder(tmp_path, classes=["confused", "happiness"])
    assert table.classes == ("confused", "happiness")
    assert table.frame["given"].tolist() == ["confused", "happiness"]


def test_no_folder_and_an_empty_folder_are_errors(tmp_path):
    with pytest.raises(FercleanError, match="must be a folder of class folders"):
        ingest_folder(tmp_path)
    (tmp_path / "set").mkdir()
    with pytest.raises(FercleanError, match="no training row can be used"):
        ingest_folder(tmp_path)
