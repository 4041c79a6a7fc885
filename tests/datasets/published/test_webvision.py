from __future__ import annotations

import pytest

from ferclean.config.load import build_settings
from ferclean.config.presets import load_preset
from ferclean.datasets.published.webvision import WEBVISION_MINI
from ferclean.datasets.registry import read_source
from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest

CLASSES = [str(number) for number in range(50)]
TRAINING = [("google/q0001/aX_1.jpg", 0), ("google/q0002/bY-2.jpg", 49), ("google/q0003/c.jpg", 7)]
FURTHER = [("google/q0051/d.jpg", 50), ("google/q9983/e.jpg", 999)]
VALIDATION = [("val000001.jpg", 1), ("val000002.jpg", 50), ("val000003.jpg", 49)]
# The first lines of info/synsets.txt, and ids made up for the others.
SYNSETS = ["n01440764 tench, Tinca tinca", "n01443537 goldfish, Carassius auratus"]
SYNSETS += [f"n{2_000_000 + number:08d} thing {number}" for number in range(2, 1000)]


def put_set(root, *, training=(*TRAINING, *FURTHER), ends="\n", mark="", ilsvrc=False):
    """Write a miniature tree in the publishers' layout."""
    (root / "info").mkdir(parents=True)
    (root / "val_images_256").mkdir()
    texts = {
        "train_filelist_google.txt": [f"{name} {number}" for name, number in training],
        "val_filelist.txt": [f"{name} {number}" for name, number in VALIDATION],
        "synsets.txt": SYNSETS,
    }
    for name, lines in texts.items():
        text = mark + "".join(line + ends for line in lines)
        (root / "info" / name).write_bytes(text.encode())
    for seed, (name, _) in enumerate([*training, *VALIDATION]):
        folder = "val_images_256/" if name.startswith("val") else ""
        put_picture(root / f"{folder}{name}", seed, form="JPEG")
    for number, line in enumerate(SYNSETS[:51] if ilsvrc else []):
        picture = f"ILSVRC2012_val_{number + 1:08d}.JPEG"
        put_picture(root / "ilsvrc12/val" / line.split()[0] / picture, 100 + number, form="JPEG")


def ingest(tmp_path, **data):
    settings = {"source": "webvision_mini", "path": str(tmp_path / "set"), "classes": CLASSES}
    settings |= {"validation_fraction": 0, "duplicates": "keep"}
    return run_ingest(tmp_path / "out", **settings | data)


def rows(table):
    frame = table.frame
    return list(zip(frame["sample_id"], frame["split"], frame["given"], strict=True))


def test_the_first_fifty_classes_and_no_row_of_another(tmp_path):
    put_set(tmp_path / "set")
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "webvision_mini" and summary["rows"] == 5
    assert len(quarantine) == 0
    assert rows(table) == [
        ("google/q0001/aX_1.jpg", "train", "0"),
        ("google/q0002/bY-2.jpg", "train", "49"),
        ("google/q0003/c.jpg", "train", "7"),
        ("val_images_256/val000001.jpg", "test", "1"),
        ("val_images_256/val000003.jpg", "test", "49"),
    ]
    assert table.frame["path"].tolist() == table.frame["sample_id"].tolist()


def test_the_presets_classes_are_the_readers():
    preset = load_preset("smr_webvision")
    assert tuple(preset["data"]["classes"]) == WEBVISION_MINI.classes == tuple(CLASSES)


def test_published_numbers():
    assert WEBVISION_MINI.rows == {"train": 65_944, "test": 2_500}
    assert WEBVISION_MINI.variants == ("webvision", "ilsvrc12")


def test_imagenets_pictures_of_the_same_classes(tmp_path):
    put_set(tmp_path / "set", ilsvrc=True)
    (tmp_path / "set" / "info" / "val_filelist.txt").unlink()  # the variant needs none
    table, quarantine, _ = ingest(tmp_path, variant="ilsvrc12")
    assert len(quarantine) == 0
    held_out = [row for row in rows(table) if row[1] == "test"]
    assert len(held_out) == 50  # one for each of the first 50 classes, none of the 51st
    assert held_out[:3] == [
        ("ilsvrc12/val/n01440764/ILSVRC2012_val_00000001.JPEG", "test", "0"),
        ("ilsvrc12/val/n01443537/ILSVRC2012_val_00000002.JPEG", "test", "1"),
        ("ilsvrc12/val/n02000002/ILSVRC2012_val_00000003.JPEG", "test", "2"),
    ]
    assert held_out[49][2] == "49"


def test_numbers_follow_the_order_of_the_synsets_and_not_that_of_the_ids(tmp_path):
    put_set(tmp_path / "set", ilsvrc=True)
    path = tmp_path / "set" / "info" / "synsets.txt"
    path.write_text("\n".join([SYNSETS[1], SYNSETS[0], *SYNSETS[2:]]))
    table, _, _ = ingest(tmp_path, variant="ilsvrc12")
    given = {name.split("/")[2]: label for name, split, label in rows(table) if split == "test"}
    assert (given["n01440764"], given["n01443537"], given["n02000002"]) == ("1", "0", "2")


def test_strays_in_imagenets_folders_are_quarantined(tmp_path):
    put_set(tmp_path / "set", ilsvrc=True)
    (tmp_path / "set" / "ilsvrc12/val/n01440764/notes.txt").write_text("no picture")
    _, quarantine, _ = ingest(tmp_path, variant="ilsvrc12")
    assert quarantine["sample_id"].tolist() == ["ilsvrc12/val/n01440764/notes.txt"]


@pytest.mark.parametrize("variant", ["webvision", "ilsvrc12"])
@pytest.mark.parametrize(("ends", "mark"), [("\r\n", ""), ("\n\n \n", ""), ("\n", "\ufeff")])
def test_line_ends_blank_lines_and_marks(tmp_path, variant, ends, mark):
    put_set(tmp_path / "set", ends=ends, mark=mark, ilsvrc=True)
    table, quarantine, _ = ingest(tmp_path, variant=variant)
    assert len(table) == (5 if variant == "webvision" else 53) and len(quarantine) == 0
    assert rows(table)[0] == ("google/q0001/aX_1.jpg", "train", "0")


def test_names_with_spaces_and_of_other_scripts(tmp_path):
    put_set(tmp_path / "set", training=[("google/q0001/鱼 ü.jpg", 3), ("google/q0001/a  b.jpg", 4)])
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    assert rows(table)[:2] == [
        ("google/q0001/a  b.jpg", "train", "4"),
        ("google/q0001/鱼 ü.jpg", "train", "3"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("google/q0001/x.jpg tench", "unknown label: 'tench (no number 0 to 49)'"),
        ("google/q0001/x.jpg -1", "unknown label: '-1 (no number 0 to 49)'"),
        ("google/q0001/x.jpg 0.5", "unknown label: '0.5 (no number 0 to 49)'"),
        ("google/q0001/none.jpg 4", "file not found"),
        ("google/../../secret.jpg 4", "path leads outside the data folder"),
        ("google/q0003/c.jpg 8", "repeated sample_id"),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined(tmp_path, line, reason):
    put_set(tmp_path / "set")
    put_picture(tmp_path / "secret.jpg", 50, form="JPEG")
    put_picture(tmp_path / "set" / "google/q0001/x.jpg", 51, form="JPEG")
    path = tmp_path / "set" / "info" / "train_filelist_google.txt"
    path.write_text(path.read_text() + line + "\n")
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 5
    assert quarantine[["sample_id", "reason"]].to_numpy().tolist() == [[line.split()[0], reason]]


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("info/train_filelist_google.txt", "webvision"),
        ("info/train_filelist_google.txt", "ilsvrc12"),
        ("info/val_filelist.txt", "webvision"),
        ("info/synsets.txt", "ilsvrc12"),
    ],
)
def test_what_is_missing_or_empty_is_said(tmp_path, name, variant):
    put_set(tmp_path / "set", ilsvrc=True)
    (tmp_path / "set" / name).write_text("")
    with pytest.raises(FercleanError, match=rf"{name} (is empty|names 0 classes, not at least 50)"):
        ingest(tmp_path, variant=variant)
    (tmp_path / "set" / name).unlink()
    with pytest.raises(FercleanError, match=rf"WebVision 1\.0 as it is published: {name} is missi"):
        ingest(tmp_path, variant=variant)


@pytest.mark.parametrize("line", ["tench, Tinca tinca", "n0144076 tench", "n01440764 tench"])
def test_a_line_that_names_no_further_synset_is_said(tmp_path, line):
    put_set(tmp_path / "set", ilsvrc=True)
    path = tmp_path / "set" / "info" / "synsets.txt"
    path.write_text("\n".join([*SYNSETS[:3], line, *SYNSETS[3:]]))
    with pytest.raises(FercleanError, match=r"synsets\.txt, line 4: expected another WordNet id"):
        ingest(tmp_path, variant="ilsvrc12")


def test_other_mistakes_are_said(tmp_path):
    put_set(tmp_path / "set")
    with pytest.raises(FercleanError, match=r"ilsvrc12/val is missing"):
        ingest(tmp_path, variant="ilsvrc12")
    (tmp_path / "set" / "ilsvrc12/val/n01440764").mkdir(parents=True)
    with pytest.raises(FercleanError, match=r"val/n01443537 is missing; .* folder for each class"):
        ingest(tmp_path, variant="ilsvrc12")
    with pytest.raises(FercleanError, match=r"variant.*'imagenet'.*webvision, ilsvrc12"):
        ingest(tmp_path, variant="imagenet")
    with pytest.raises(FercleanError, match=r"labels_path x is not read by data.source webvision"):
        ingest(tmp_path, labels_path="x")
    (tmp_path / "set" / "info" / "val_filelist.txt").write_text("val000001.jpg\n")
    with pytest.raises(FercleanError, match=r"val_filelist\.txt, line 1: expected a name and a"):
        ingest(tmp_path)


def test_other_class_names_give_reasons_and_lose_no_row(tmp_path):
    put_set(tmp_path / "set")
    data = {"source": "webvision_mini", "path": str(tmp_path / "set"), "classes": ["0", "tench"]}
    frame = read_source(build_settings({"data": data}, ["data"]).data).frame
    assert frame["given"].tolist() == ["0", None, None, None, None]
    assert frame["reason"].tolist()[1:3] == ["unknown label: '49'", "unknown label: '7'"]
