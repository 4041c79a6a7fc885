from __future__ import annotations

import pandas as pd
import pytest

from ferclean.config.load import build_settings
from ferclean.config.presets import load_preset
from ferclean.datasets.published.food101n import FOOD101N
from ferclean.datasets.registry import read_source
from ferclean.errors import FercleanError
from ferclean.tables.labels import read_label_table, read_training_table, write_label_table
from fixtures.picture_files import put_picture, run_ingest

CLASSES = list(FOOD101N.classes)
LISTED = ["apple_pie/0a1b.jpg", "waffles/2c.jpg", "hot_dog/3d.jpg", "sushi/4e.jpg", "pho/5f.jpg"]
TRAIN_VERDICTS = [("apple_pie/0a1b.jpg", 1), ("waffles/2c.jpg", 0)]
VAL_VERDICTS = [("sushi/4e.jpg", 1), ("pho/5f.jpg", 0)]
TEST = ["apple_pie/1011328", "cheesecake/7"]


def put_set(root, *, listed=LISTED, train=TRAIN_VERDICTS, test=TEST, ends="\n", mark=""):
    """Write a miniature tree in the publishers' layout, with Food-101 inside it."""
    header = "class_name/key"
    texts = {
        "meta/imagelist.tsv": [header, *listed],
        "meta/verified_train.tsv": [f"{header}\tverification_label"],
        "meta/verified_val.tsv": [f"{header}\tverification_label"],
        "food-101/meta/test.txt": test,
    }
    texts["meta/verified_train.tsv"] += [f"{key}\t{verdict}" for key, verdict in train]
    texts["meta/verified_val.tsv"] += [f"{key}\t{verdict}" for key, verdict in VAL_VERDICTS]
    for name, lines in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((mark + "".join(line + ends for line in lines)).encode())
    names = [f"images/{key}" for key in listed] + [f"food-101/images/{key}.jpg" for key in test]
    for seed, name in enumerate(names):
        put_picture(root / name, seed, form="JPEG")


def ingest(tmp_path, **data):
    settings = {"source": "food101n", "path": str(tmp_path / "set"), "classes": CLASSES}
    settings |= {"validation_fraction": 0, "duplicates": "keep"}
    return run_ingest(tmp_path / "out", **settings | data)


def by_id(table, column):
    values = table.frame[column].astype(object)
    values = [None if pd.isna(value) else value for value in values]
    return dict(zip(table.frame["sample_id"], values, strict=True))


def append(path, line):
    path.write_text(path.read_text() + line + "\n")


def test_rows_splits_and_verdicts(tmp_path):
    put_set(tmp_path / "set")
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "food101n" and len(quarantine) == 0
    wanted = {
        "food-101/images/apple_pie/1011328.jpg": ("test", "apple_pie", None, None),
        "food-101/images/cheesecake/7.jpg": ("test", "cheesecake", None, None),
        "images/apple_pie/0a1b.jpg": ("train", "apple_pie", 1, "apple_pie"),
        "images/hot_dog/3d.jpg": ("train", "hot_dog", None, None),
        "images/pho/5f.jpg": ("val", "pho", 0, None),
        "images/sushi/4e.jpg": ("val", "sushi", 1, "sushi"),
        "images/waffles/2c.jpg": ("train", "waffles", 0, None),
    }
    columns = ("split", "given", "verified", "true")
    for place, column in enumerate(columns):
        assert by_id(table, column) == {name: row[place] for name, row in wanted.items()}
    assert table.frame["path"].tolist() == table.frame["sample_id"].tolist()


def test_verdicts_are_whole_numbers_in_the_file_and_never_seen_by_training(tmp_path):
    put_set(tmp_path / "set")
    ingest(tmp_path)
    table = read_label_table(tmp_path / "out" / "samples.parquet")
    assert table.frame["verified"].dtype == pd.Int64Dtype() and "true" in table.frame
    labels = table.with_columns(observed=table.frame["given"], face_row=0)
    write_label_table(labels, tmp_path / "labels.parquet")
    seen = read_training_table(tmp_path / "labels.parquet").frame
    assert len(seen) == 7 and not {"verified", "true"} & set(seen)


def test_classes_are_the_presets_and_the_settings_decide_their_order(tmp_path):
    assert tuple(load_preset("smp_food101n")["data"]["classes"]) == FOOD101N.classes
    assert len(set(CLASSES)) == 101 and sorted(CLASSES) == CLASSES
    assert (CLASSES[0], CLASSES[55], CLASSES[100]) == ("apple_pie", "hot_dog", "waffles")
    put_set(tmp_path / "set")
    table, _, _ = ingest(tmp_path, classes=CLASSES[::-1])
    assert by_id(table, "given")["images/apple_pie/0a1b.jpg"] == "apple_pie"
    assert table.codes("given").max() == 100


def test_published_numbers():
    assert FOOD101N.rows["train"] + FOOD101N.rows["val"] == 310_009
    assert FOOD101N.rows["val"] == 4_741 and FOOD101N.rows["test"] == 101 * 250


@pytest.mark.parametrize(("ends", "mark"), [("\r\n", ""), ("\n\n", ""), ("\n", "\ufeff")])
def test_line_ends_blank_lines_and_marks(tmp_path, ends, mark):
    put_set(tmp_path / "set", ends=ends, mark=mark)
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 7 and len(quarantine) == 0
    assert by_id(table, "verified")["images/sushi/4e.jpg"] == 1


def test_names_with_spaces_and_of_other_scripts(tmp_path):
    keys = ["pho/phở 1.jpg", "pho/a  b.jpg"]
    put_set(tmp_path / "set", listed=[*LISTED, *keys], train=[(key, 1) for key in keys])
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    assert [by_id(table, "verified")[f"images/{key}"] for key in keys] == [1, 1]


def test_without_food_101_there_are_no_test_rows(tmp_path, capsys):
    put_set(tmp_path / "set")
    (tmp_path / "set" / "food-101").rename(tmp_path / "elsewhere")
    table, _, _ = ingest(tmp_path)
    assert sorted(table.frame["split"].unique()) == ["train", "val"] and len(table) == 5
    assert "no folder food-101: there are no test pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("bread/x.jpg", "unknown label: 'bread'"),
        ("x.jpg", "missing label"),
        ("/x.jpg", "missing label"),
        ("pho/none.jpg", "file not found"),
        ("pho/../../../secret.jpg", "path leads outside the data folder"),
        ("hot_dog/3d.jpg", "repeated sample_id"),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined(tmp_path, key, reason):
    put_set(tmp_path / "set")
    put_picture(tmp_path / "secret.jpg", 50, form="JPEG")
    for name in ("bread/x.jpg", "x.jpg"):
        put_picture(tmp_path / "set" / "images" / name, 51, form="JPEG")
    append(tmp_path / "set" / "meta/imagelist.tsv", key)
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 7
    assert quarantine[["sample_id", "reason"]].to_numpy().tolist() == [[f"images/{key}", reason]]


def test_test_rows_that_cannot_be_used_are_quarantined(tmp_path):
    put_set(tmp_path / "set")
    path = tmp_path / "set" / "food-101/meta/test.txt"
    for key in ("pho/9", "bread/1", "../../../secret"):
        append(path, key)
    put_picture(tmp_path / "set" / "food-101/images/bread/1.jpg", 51, form="JPEG")
    _, quarantine, _ = ingest(tmp_path)
    reasons = dict(zip(quarantine["path"], quarantine["reason"], strict=True))
    assert reasons == {
        "food-101/images/pho/9.jpg": "file not found",
        "food-101/images/bread/1.jpg": "unknown label: 'bread'",
        "food-101/images/../../../secret.jpg": "unknown label: '..'",
    }


def test_spaces_around_values_are_none_of_them(tmp_path):
    put_set(tmp_path / "set", train=[("waffles/2c.jpg ", " 0 ")], listed=[*LISTED, "pho/6.jpg"])
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 8 and by_id(table, "verified")["images/waffles/2c.jpg"] == 0
    assert quarantine["reason"].tolist() == []


def test_a_verified_picture_under_another_dish_is_a_row_of_its_own(tmp_path):
    # The publishers list one picture as filet_mignon and verify it as hot_and_sour_soup.
    put_set(tmp_path / "set", train=[*TRAIN_VERDICTS, ("hot_and_sour_soup/3d.jpg", 0)])
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 7 and by_id(table, "verified")["images/hot_dog/3d.jpg"] is None
    assert quarantine[["sample_id", "reason"]].to_numpy().tolist() == [
        ["images/hot_and_sour_soup/3d.jpg", "not in meta/imagelist.tsv"]
    ]


def test_a_picture_verified_twice_alike_is_no_contradiction(tmp_path):
    put_set(tmp_path / "set", train=[*TRAIN_VERDICTS, TRAIN_VERDICTS[0], VAL_VERDICTS[1]])
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 7 and len(quarantine) == 0
    assert by_id(table, "split")["images/pho/5f.jpg"] == "val"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("waffles/2c.jpg", r"verified_train\.tsv: the label of waffles/2c\.jpg is both right and"),
        ("pho/5f.jpg", r"train\.tsv and .*verified_val\.tsv: the label of pho/5f\.jpg is both"),
    ],
)
def test_a_label_both_right_and_wrong_is_said(tmp_path, key, said):
    put_set(tmp_path / "set", train=[*TRAIN_VERDICTS, (key, 1)])
    with pytest.raises(FercleanError, match=said):
        ingest(tmp_path)


@pytest.mark.parametrize("verdict", ["2", "", "yes", "1.0"])
def test_a_verdict_that_is_none_is_said(tmp_path, verdict):
    put_set(tmp_path / "set", train=[("hot_dog/3d.jpg", verdict)])
    with pytest.raises(
        FercleanError, match=rf"verified_train\.tsv: .* of hot_dog/3d\.jpg must be .* '{verdict}'"
    ):
        ingest(tmp_path)


@pytest.mark.parametrize(
    "name", ["meta/imagelist.tsv", "meta/verified_train.tsv", "meta/verified_val.tsv"]
)
def test_what_is_missing_is_said(tmp_path, name):
    put_set(tmp_path / "set")
    (tmp_path / "set" / name).write_text("apple_pie/0a1b.jpg\t1\n")
    with pytest.raises(FercleanError, match=rf"{name}: column 'class_name/key' is missing"):
        ingest(tmp_path)
    (tmp_path / "set" / name).unlink()
    with pytest.raises(FercleanError, match=rf"Food-101N as it is published: {name} is missing"):
        ingest(tmp_path)


def test_other_mistakes_are_said(tmp_path):
    put_set(tmp_path / "set", train=[])
    with pytest.raises(FercleanError, match=r"data\.variant 'clean'"):
        ingest(tmp_path, variant="clean")
    with pytest.raises(FercleanError, match=r"labels_path x is not read by data.source food101n"):
        ingest(tmp_path, labels_path="x")
    (tmp_path / "set" / "food-101/meta/test.txt").unlink()
    with pytest.raises(FercleanError, match=r"food-101/meta/test\.txt"):
        ingest(tmp_path)
    (tmp_path / "set" / "meta/imagelist.tsv").write_text("class_name/key\n")
    with pytest.raises(FercleanError, match=r"imagelist\.tsv names no picture"):
        ingest(tmp_path)


def test_as_many_rows_as_published_keep_their_order(tmp_path):
    listed = [f"{CLASSES[row % 101]}/{row:x}.jpg" for row in range(3000)]
    put_set(tmp_path / "set")
    (tmp_path / "set" / "meta/imagelist.tsv").write_text("\n".join(["class_name/key", *listed]))
    for name in ("train", "val"):
        (tmp_path / "set" / f"meta/verified_{name}.tsv").write_text(
            "class_name/key\tverification_label\n"
            + (f"{listed[2999]}\t0\n" if name == "val" else "")
        )
    data = {"source": "food101n", "path": str(tmp_path / "set"), "classes": CLASSES}
    frame = read_source(build_settings({"data": data}, ["data"]).data).frame
    assert frame["given"].tolist()[:3000] == [CLASSES[row % 101] for row in range(3000)]
    assert frame["verified"].iloc[2999] == 0 and frame["split"].iloc[2999] == "val"
    assert isinstance(frame.index, pd.RangeIndex) and len(frame) == 3002
