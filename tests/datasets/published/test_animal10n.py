from __future__ import annotations

import os

import pytest

from ferclean.datasets.published.animal10n import ANIMAL10N
from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest

# The publishers' page: 0 cat, 1 lynx, 2 wolf, 3 coyote, 4 cheetah, 5 jaguar, 6 chimpanzee,
# 7 orangutan, 8 hamster, 9 guinea pig.
NUMBERING = (
    *("cat", "lynx", "wolf", "coyote", "cheetah", "jaguar"),
    *("chimpanzee", "orangutan", "hamster", "guinea pig"),
)


def put_set(root, train=tuple(range(10)), test=(3, 9)):
    for folder, numbers in {"training": train, "testing": test}.items():
        for at, number in enumerate(numbers):
            seed = at + (100 if folder == "testing" else 0)
            put_picture(root / folder / f"{number}_{seed + 5000}.jpg", seed, form="JPEG")


def ingest(tmp_path, **data):
    settings = {"source": "animal10n", "path": str(tmp_path / "data"), "validation_fraction": 0}
    settings["classes"] = list(ANIMAL10N.classes)
    return run_ingest(tmp_path / "out", **settings | data)


def test_facts_are_the_publishers():
    assert ANIMAL10N.classes == NUMBERING and ANIMAL10N.first_number == 0
    assert dict(ANIMAL10N.rows) == {"train": 50000, "test": 5000}


@pytest.mark.parametrize("inside", ["", "raw_image"])
def test_labels_and_splits_come_from_the_names(tmp_path, inside):
    put_set(tmp_path / "data" / inside)
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "animal10n" and len(quarantine) == 0
    frame = table.frame.set_index("path")
    assert frame["split"].value_counts().to_dict() == {"train": 10, "test": 2}
    for number, name in enumerate(NUMBERING):
        row = frame.loc[f"training/{number}_{5000 + number}.jpg"]
        assert (row["given"], row["split"]) == (name, "train")
    assert frame.loc["testing/9_5101.jpg", "given"] == "guinea pig"
    assert frame.loc["testing/9_5101.jpg", "split"] == "test"
    assert frame["sample_id"].tolist() == frame.index.tolist()
    assert "true" not in table.frame


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("training/10_1.jpg", "unknown label: '10 (no number 0 to 9)'"),
        ("training/-1_1.jpg", "unknown label: '-1 (no number 0 to 9)'"),
        ("training/cat_1.jpg", "unknown label: 'cat (no number 0 to 9)'"),
        ("training/7.jpg", "file name is not <label>_<id>.jpg"),
        ("testing/_7.jpg", "file name is not <label>_<id>.jpg"),
        ("testing/7_7.png", "file name is not <label>_<id>.jpg"),
        ("testing/readme.txt", "file name is not <label>_<id>.jpg"),
    ],
)
def test_files_that_cannot_be_used_are_quarantined(tmp_path, name, reason):
    put_set(tmp_path / "data")
    put_picture(tmp_path / "data" / name, 70, form="JPEG")
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 12
    assert quarantine["sample_id"].tolist() == [name]
    assert quarantine["reason"].tolist() == [reason]


def test_names_with_more_in_them_are_read(tmp_path):
    put_set(tmp_path / "data")
    put_picture(tmp_path / "data" / "training" / "8_img_12.JPG", 70, form="JPEG")
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    row = table.frame.set_index("path").loc["training/8_img_12.JPG"]
    assert row["given"] == "hamster"


def test_broken_pictures_and_links_are_quarantined(tmp_path):
    put_set(tmp_path / "data")
    put_picture(tmp_path / "secret.jpg", 70, form="JPEG")
    training = tmp_path / "data" / "training"
    (training / "1_1.jpg").symlink_to(tmp_path / "secret.jpg")
    (training / "1_2.jpg").write_bytes(b"")
    (training / "1_3.jpg").symlink_to(tmp_path)
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 12
    assert quarantine.set_index("sample_id")["reason"].to_dict() == {
        "training/1_1.jpg": "path leads outside the data folder",
        "training/1_2.jpg": "empty file",
        "training/1_3.jpg/": "link to a folder is not followed",
    }


def test_a_name_that_is_no_text_is_quarantined(tmp_path):
    put_set(tmp_path / "data")
    name = os.fsencode(tmp_path / "data" / "training") + b"/3_\xff.jpg"
    try:
        with open(name, "wb"):  # noqa: PTH123
            pass
    except OSError:
        pytest.skip("this file system takes texts only")
    _, quarantine, _ = ingest(tmp_path)
    assert quarantine["sample_id"].tolist() == ["training/3_\\udcff.jpg"]
    assert quarantine["reason"].tolist() == ["file name is not valid UTF-8"]


def test_animals_that_are_not_wanted_are_quarantined(tmp_path):
    put_set(tmp_path / "data")
    table, quarantine, _ = ingest(tmp_path, classes=["Coyote", "guinea pig"])
    assert sorted(table.frame["given"]) == ["Coyote", "Coyote", "guinea pig", "guinea pig"]
    assert len(quarantine) == 8


@pytest.mark.parametrize("folder", ["training", "testing"])
def test_a_folder_that_is_missing_is_named(tmp_path, folder):
    put_set(tmp_path / "data")
    (tmp_path / "data" / folder).rename(tmp_path / "gone")
    with pytest.raises(FercleanError, match=rf"ANIMAL-10N.*: {folder} is missing; get it from"):
        ingest(tmp_path)


@pytest.mark.parametrize("key", ["variant", "labels_path"])
def test_settings_it_does_not_have_are_refused(tmp_path, key):
    put_set(tmp_path / "data")
    with pytest.raises(FercleanError, match=r"leave data\.variant and data\.labels_path out"):
        ingest(tmp_path, **{key: "x"})
