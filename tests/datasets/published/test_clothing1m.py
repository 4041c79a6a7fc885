from __future__ import annotations

import time

import pandas as pd
import pytest

from ferclean.config.load import build_settings
from ferclean.datasets.published.clothing1m import CLOTHING1M, CLOTHING1M_CLEAN
from ferclean.datasets.registry import read_source
from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest

# category_names_eng.txt of the publishers, line by line.
NAMES = [
    "T-Shirt", "Shirt", "Knitwear", "Chiffon", "Sweater", "Hoodie", "Windbreaker", "Jacket",
    "Downcoat", "Suit", "Shawl", "Dress", "Vest", "Underwear",
]  # fmt: skip
# What the miniature tree says: key lists, and a number a key.
LISTS = {
    "noisy_train": ["images/0/00/1,2.jpg", "images/1/07/3,4.jpg", "images/2/99/5,6.jpg"],
    "clean_train": ["images/3/10/7,8.jpg", "images/3/11/9,10.jpg"],
    "clean_val": ["images/4/20/11,12.jpg"],
    "clean_test": ["images/5/30/13,14.jpg"],
}
NOISY = [3, 0, 13, 7, 7, 5, 5]  # the clean lists' pictures may have noisy labels, too
CLEAN = {"images/3/10/7,8.jpg": 1, "images/3/11/9,10.jpg": 12, "images/4/20/11,12.jpg": 8}
CLEAN |= {"images/5/30/13,14.jpg": 9}


def pairs(labels):
    return [f"{key} {number}" for key, number in labels.items()]


def put_set(
    root, *, folder=".", ends="\n", mark="", noisy=None, clean=None, pictures=True, **lists
):
    """Write a miniature tree in the publishers' layout."""
    lists = LISTS | lists
    keys = [key for name in lists for key in lists[name]]
    noisy = dict(zip(keys, NOISY, strict=False)) if noisy is None else noisy
    texts = {f"{name}_key_list.txt": names for name, names in lists.items()}
    texts |= {"noisy_label_kv.txt": pairs(noisy), "clean_label_kv.txt": pairs(clean or CLEAN)}
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "images").mkdir(exist_ok=True)
    for name, lines in texts.items():
        text = mark + "".join(line + ends for line in lines)
        (root / folder / name).write_bytes(text.encode())
    for seed, key in enumerate(keys if pictures else []):
        put_picture(root / key, seed, form="JPEG")


def ingest(tmp_path, **data):
    settings = {"source": "clothing1m", "path": str(tmp_path / "set"), "classes": NAMES}
    return run_ingest(tmp_path / "out", **settings | {"validation_fraction": 0} | data)


def by_id(table, column):
    return dict(zip(table.frame["sample_id"], table.frame[column], strict=True))


@pytest.mark.parametrize("folder", [".", "annotations"])
def test_noisy_training_rows_and_clean_held_out_ones(tmp_path, folder):
    put_set(tmp_path / "set", folder=folder)
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "clothing1m" and len(quarantine) == 0
    assert by_id(table, "given") == {
        "images/0/00/1,2.jpg": "Chiffon",
        "images/1/07/3,4.jpg": "T-Shirt",
        "images/2/99/5,6.jpg": "Underwear",
        "images/4/20/11,12.jpg": "Downcoat",
        "images/5/30/13,14.jpg": "Suit",
    }
    assert table.frame["split"].tolist() == ["train"] * 3 + ["val", "test"]
    assert table.frame["path"].tolist() == table.frame["sample_id"].tolist()


def test_clean_training_rows_are_the_other_variant(tmp_path):
    put_set(tmp_path / "set")
    # The variant needs neither of the noisy lists.
    for name in ("noisy_label_kv.txt", "noisy_train_key_list.txt"):
        (tmp_path / "set" / name).unlink()
    table, _, _ = ingest(tmp_path, variant="clean")
    assert by_id(table, "given") == {
        "images/3/10/7,8.jpg": "Shirt",
        "images/3/11/9,10.jpg": "Vest",
        "images/4/20/11,12.jpg": "Downcoat",
        "images/5/30/13,14.jpg": "Suit",
    }
    assert table.frame["split"].tolist() == ["train", "train", "val", "test"]
    assert "true" not in table.frame


def test_the_truth_of_a_noisy_row_is_its_clean_label_where_there_is_one(tmp_path):
    put_set(tmp_path / "set", clean=CLEAN | {"images/1/07/3,4.jpg": 2, "images/2/99/5,6.jpg": 77})
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    assert by_id(table, "given")["images/1/07/3,4.jpg"] == "T-Shirt"
    true = by_id(table, "true")
    assert true["images/1/07/3,4.jpg"] == "Knitwear"
    assert pd.isna(true["images/0/00/1,2.jpg"]) and pd.isna(true["images/2/99/5,6.jpg"])
    assert true["images/5/30/13,14.jpg"] == "Suit"


def test_every_number_is_the_publishers(tmp_path):
    keys = [f"images/0/00/{number}.jpg" for number in range(14)]
    put_set(
        tmp_path / "set",
        noisy_train=keys,
        noisy={key: number for number, key in enumerate(keys)},
        pictures=False,
    )
    data = {"source": "clothing1m", "path": str(tmp_path / "set"), "classes": NAMES[::-1]}
    frame = read_source(build_settings({"data": data}, ["data"]).data).frame
    assert frame["given"].tolist()[:14] == NAMES


def test_published_numbers():
    assert CLOTHING1M.rows == {"train": 1_000_000, "val": 14_313, "test": 10_526}
    assert CLOTHING1M_CLEAN.rows == {"train": 47_570, "val": 14_313, "test": 10_526}
    assert sum(CLOTHING1M_CLEAN.rows.values()) == 72_409  # lines of clean_label_kv.txt
    assert CLOTHING1M.variants == ("noisy", "clean")


@pytest.mark.parametrize(("ends", "mark"), [("\r\n", ""), ("\n\n  \n", ""), ("\n", "\ufeff")])
def test_line_ends_blank_lines_and_marks(tmp_path, ends, mark):
    put_set(tmp_path / "set", ends=ends, mark=mark)
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 5 and len(quarantine) == 0
    assert by_id(table, "given")["images/0/00/1,2.jpg"] == "Chiffon"


def test_names_with_spaces_and_of_other_scripts(tmp_path):
    keys = ["images/0/00/衬衫 ü.jpg", "images/0/00/a  b.jpg"]
    put_set(tmp_path / "set", noisy_train=keys, noisy=dict(zip(keys, [1, 2], strict=True)))
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    given = by_id(table, "given")
    assert [given[key] for key in keys] == ["Shirt", "Knitwear"]


@pytest.mark.parametrize(
    ("key", "labels", "reason"),
    [
        ("images/9/99/1.jpg", {}, "missing label"),
        ("images/9/99/1.jpg", {"images/9/99/1.jpg": 14}, "unknown label: '14 (no number 0 to 13)'"),
        ("images/9/99/1.jpg", {"images/9/99/1.jpg": -1}, "unknown label: '-1 (no number 0 to 13)'"),
        ("images/9/99/2.jpg", {"images/9/99/2.jpg": 3}, "file not found"),
        ("images/../../x.jpg", {"images/../../x.jpg": 3}, "path leads outside the data folder"),
        ("images/0/00/1,2.jpg", {}, "repeated sample_id"),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined(tmp_path, key, labels, reason):
    keys = LISTS["noisy_train"]
    noisy = dict(zip(keys, NOISY, strict=False)) | labels
    put_set(tmp_path / "set", noisy=noisy)
    put_picture(tmp_path / "set" / "images/9/99/1.jpg", 50, form="JPEG")
    put_picture(tmp_path / "x.jpg", 51, form="JPEG")
    path = tmp_path / "set" / "noisy_train_key_list.txt"
    path.write_text("\n".join([*keys, key]))
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 5
    assert quarantine[["sample_id", "reason"]].to_numpy().tolist() == [[key, reason]]


def test_a_validation_row_has_no_label_from_the_noisy_list(tmp_path):
    put_set(tmp_path / "set", clean_val=["images/4/20/11,12.jpg", "images/4/20/x.jpg"])
    assert "images/4/20/x.jpg 5" in (tmp_path / "set" / "noisy_label_kv.txt").read_text()
    _, quarantine, _ = ingest(tmp_path)
    assert quarantine["reason"].tolist() == ["missing label"]


def test_a_picture_in_two_splits_is_said(tmp_path):
    twice = LISTS["clean_val"]
    put_set(tmp_path / "set", clean_test=[*LISTS["clean_test"], *twice])
    said = (
        r"clean_val_key_list\.txt and .*clean_test_key_list\.txt both name images/4/20/11,12\.jpg"
    )
    with pytest.raises(FercleanError, match=said + ", and 1 pictures in all .*one split only"):
        ingest(tmp_path)


def test_a_picture_with_two_labels_is_said_and_a_repeated_line_is_none(tmp_path):
    put_set(tmp_path / "set")
    path = tmp_path / "set" / "noisy_label_kv.txt"
    text = path.read_text()
    path.write_text(text + "images/0/00/1,2.jpg 3\n")
    assert len(ingest(tmp_path)[0]) == 5
    path.write_text(text + "images/0/00/1,2.jpg 4\n")
    with pytest.raises(
        FercleanError, match=r"noisy_label_kv\.txt names images/0/00/1,2\.jpg twice"
    ):
        ingest(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "noisy_label_kv.txt",
        "clean_label_kv.txt",
        "noisy_train_key_list.txt",
        "clean_val_key_list.txt",
        "clean_test_key_list.txt",
    ],
)
@pytest.mark.parametrize("folder", ["", "annotations/"])
def test_what_is_missing_or_empty_is_said(tmp_path, name, folder):
    put_set(tmp_path / "set", folder=folder)
    name = folder + name
    (tmp_path / "set" / name).write_text("\n")
    with pytest.raises(FercleanError, match=rf"{name} is empty"):
        ingest(tmp_path)
    (tmp_path / "set" / name).unlink()
    with pytest.raises(FercleanError, match=rf"Clothing1M as it is published: {name} is missing"):
        ingest(tmp_path)


def test_other_mistakes_are_said(tmp_path):
    put_set(tmp_path / "set", pictures=False)
    with pytest.raises(FercleanError, match=r"variant.*'dirty'.*noisy, clean"):
        ingest(tmp_path, variant="dirty")
    with pytest.raises(FercleanError, match=r"labels_path x is not read by data.source clothing1m"):
        ingest(tmp_path, labels_path="x")
    with pytest.raises(FercleanError, match=r"no training row can be used.*'file not found'"):
        ingest(tmp_path)
    (tmp_path / "set" / "noisy_label_kv.txt").write_text("images/0/00/1,2.jpg\n")
    with pytest.raises(FercleanError, match=r"noisy_label_kv\.txt, line 1: expected a name and"):
        ingest(tmp_path)
    (tmp_path / "set" / "images").rmdir()
    with pytest.raises(FercleanError, match=r"Clothing1M as it is published: images is missing"):
        ingest(tmp_path)


@pytest.mark.slow
def test_long_lists_are_read_in_seconds(tmp_path):
    keys = [f"images/{row % 10}/{row % 100:02d}/{row},{row * 7}.jpg" for row in range(300_000)]
    noisy = {key: row % 14 for row, key in enumerate(keys)}
    put_set(tmp_path / "set", noisy_train=keys, noisy=noisy, pictures=False)
    data = {"source": "clothing1m", "path": str(tmp_path / "set"), "classes": NAMES}
    settings = build_settings({"data": data}, ["data"]).data
    start = time.process_time()
    frame = read_source(settings).frame
    assert time.process_time() - start < 10  # about 2 seconds on one core
    assert len(frame) == 300_002 and frame["reason"].isna().all()
    assert frame["given"].iloc[[0, 15, 299_999]].tolist() == [
        NAMES[0], NAMES[1], NAMES[299_999 % 14],
    ]  # fmt: skip
    assert isinstance(frame.index, pd.RangeIndex)
