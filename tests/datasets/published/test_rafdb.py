from __future__ import annotations

import numpy as np
import pytest

from ferclean.config.load import build_settings
from ferclean.datasets.published.rafdb import BASIC, COMPOUND
from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest

# The publishers' readme: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral.
NUMBERING = ("surprised", "fear", "disgusted", "happy", "sad", "angry", "neutral")


def put_set(root, numbers, *, test=2, variants=("aligned", "original"), part="basic"):
    """Write a miniature tree in the publishers' layout, the last `test` rows for testing."""
    names = [
        f"{'train' if row < len(numbers) - test else 'test'}_{row + 1:05d}"
        for row in range(len(numbers))
    ]
    folder = root / part
    (folder / "EmoLabel").mkdir(parents=True)
    lines = [f"{name}.jpg {number}" for name, number in zip(names, numbers, strict=True)]
    (folder / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    for seed, name in enumerate(names):
        for variant in variants:
            suffix = "_aligned" if variant == "aligned" else ""
            picture = folder / "Image" / variant / f"{name}{suffix}.jpg"
            put_picture(picture, seed + (100 if variant == "original" else 0), form="JPEG")
    return names


def ingest(tmp_path, source="rafdb", **data):
    settings = {"source": source, "path": str(tmp_path / "raf"), "validation_fraction": 0}
    return run_ingest(tmp_path / "out", **settings | data)


def test_numbers_are_the_publishers(tmp_path):
    put_set(tmp_path / "raf", [1, 2, 3, 4, 5, 6, 7, 4, 7])
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "rafdb" and len(quarantine) == 0
    assert table.frame["given"].tolist()[2:] == list(NUMBERING)  # test_0000x come first
    assert table.frame["given"].tolist()[:2] == ["happy", "neutral"]
    assert table.frame["split"].tolist() == ["test"] * 2 + ["train"] * 7
    assert table.frame["sample_id"].iloc[2] == "Image/aligned/train_00001_aligned.jpg"
    assert "true" not in table.frame


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("variant", ["aligned", "original"])
def test_both_variants_and_both_folders(tmp_path, inside, variant):
    names = put_set(tmp_path / "raf", [1, 4, 4, 7], variants=(variant,))
    path = tmp_path / "raf" / "basic" if inside else tmp_path / "raf"
    table, _, _ = ingest(tmp_path, path=str(path), variant=variant)
    suffix = "_aligned" if variant == "aligned" else ""
    wanted = sorted(f"Image/{variant}/{name}{suffix}.jpg" for name in names)
    assert table.frame["path"].tolist() == wanted


def test_the_inner_folder_may_be_a_link(tmp_path):
    put_set(tmp_path / "elsewhere", [1, 4, 4, 7])
    (tmp_path / "raf").mkdir()
    (tmp_path / "raf" / "basic").symlink_to(tmp_path / "elsewhere" / "basic")
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 4 and len(quarantine) == 0


def test_published_counts_are_those_of_the_paper():
    assert {split: sum(counts) for split, counts in BASIC.counts.items()} == dict(BASIC.rows)
    assert sum(BASIC.rows.values()) == 15339 and sum(COMPOUND.rows.values()) == 3954


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("train_00009.jpg 8", "unknown label: '8 (no number 1 to 7)'"),
        ("train_00009.jpg 0", "unknown label: '0 (no number 1 to 7)'"),
        ("train_00009.jpg happy", "unknown label: 'happy (no number 1 to 7)'"),
        ("valid_00009.jpg 4", "unknown split"),
        ("train_00099.jpg 4", "file not found"),
        ("train_x/../../../../../secret.jpg 4", "path leads outside the data folder"),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined(tmp_path, line, reason):
    put_set(tmp_path / "raf", [1, 4, 4, 7, 5])
    put_picture(tmp_path / "secret_aligned.jpg", 50, form="JPEG")
    for name in ("train_00009", "valid_00009"):
        put_picture(
            tmp_path / "raf" / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg",
            70,
            form="JPEG",
        )
    path = tmp_path / "raf" / "basic" / "EmoLabel" / "list_patition_label.txt"
    path.write_text(path.read_text() + line + "\n")
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 5
    assert quarantine["reason"].tolist() == [reason]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("train_00001.jpg\n", "line 1: expected a name and a number, found 'train_00001.jpg'"),
        ("\n\n 4\n", "line 3: expected a name and a number"),
    ],
)
def test_a_list_that_is_none_is_named(tmp_path, text, said):
    put_set(tmp_path / "raf", [1, 4, 4])
    (tmp_path / "raf" / "basic" / "EmoLabel" / "list_patition_label.txt").write_text(text)
    with pytest.raises(FercleanError, match=said):
        ingest(tmp_path)


def test_bytes_that_are_no_text_are_named(tmp_path):
    put_set(tmp_path / "raf", [1, 4, 4])
    path = tmp_path / "raf" / "basic" / "EmoLabel" / "list_patition_label.txt"
    path.write_bytes(b"\xff\xfe\x00train")
    with pytest.raises(FercleanError, match=r"list_patition_label\.txt is not UTF-8 text"):
        ingest(tmp_path)


def test_what_is_missing_is_said(tmp_path):
    put_set(tmp_path / "raf", [1, 4, 4], variants=("original",))
    with pytest.raises(FercleanError, match=r"RAF-DB \(basic\).*Image/aligned is missing"):
        ingest(tmp_path)
    with pytest.raises(FercleanError, match=r"EmoLabel/list_patition_label\.txt is missing"):
        ingest(tmp_path, path=str(tmp_path))
    with pytest.raises(FercleanError, match=r"variant.*'cropped'.*aligned, original"):
        ingest(tmp_path, variant="cropped")


@pytest.mark.parametrize("suffix", ["", "_aligned"])
def test_a_list_of_noisy_labels_changes_training_rows_only(tmp_path, capsys, suffix):
    names = put_set(tmp_path / "raf", [1, 4, 4, 7, 5, 6])
    noisy = [1, 2, 4, 3, 7, 6]  # the second and fourth training rows, and the first test row
    lines = [f"{name}{suffix}.jpg {n}" for name, n in zip(names, noisy, strict=True)]
    (tmp_path / "noise.txt").write_text("\r\n".join(reversed(lines)) + "\r\n")
    table, _, _ = ingest(tmp_path, labels_path=str(tmp_path / "noise.txt"))
    frame = table.frame.set_index(table.frame["sample_id"].str.extract(r"_(\d+)_")[0].astype(int))
    assert frame["given"].loc[[1, 2, 3, 4, 5, 6]].tolist() == [
        "surprised", "fear", "happy", "disgusted", "sad", "angry",
    ]  # fmt: skip
    assert frame["true"].loc[[1, 2, 3, 4, 5, 6]].tolist() == [
        "surprised", "happy", "happy", "neutral", "sad", "angry",
    ]  # fmt: skip
    assert "1 labels of test pictures differ there" in capsys.readouterr().err


def test_a_list_needs_no_label_for_rows_that_are_not_used(tmp_path):
    names = put_set(tmp_path / "raf", [1, 4, 9, 7, 5, 6])  # there is no 9
    lines = [f"{name}.jpg 2" for name in (names[0], names[1], names[3])]
    (tmp_path / "noise.txt").write_text("\n".join(lines))
    table, quarantine, _ = ingest(tmp_path, labels_path=str(tmp_path / "noise.txt"))
    training = table.in_split("train")
    assert table.frame["given"][training].tolist() == ["fear"] * 3
    assert quarantine["reason"].tolist() == ["unknown label: '9 (no number 1 to 7)'"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["train_00001.jpg 1"], "has no label for 3 of 4 training pictures, for example"),
        (["train_00001.jpg 1", "train_00001_aligned.jpg 2"], "the picture 'train_00001' twice"),
    ],
)  # fmt: skip
def test_a_list_of_other_pictures_is_refused(tmp_path, lines, said):
    put_set(tmp_path / "raf", [1, 4, 4, 7, 5, 6])
    (tmp_path / "noise.txt").write_text("\n".join(lines))
    with pytest.raises(FercleanError, match=said):
        ingest(tmp_path, labels_path=str(tmp_path / "noise.txt"))


def test_compound_expressions_as_classes(tmp_path):
    put_set(tmp_path / "raf", [*range(1, 12), 1], part="compound", test=1)
    table, quarantine, _ = ingest(
        tmp_path, "rafdb_compound", classes=[name.title() for name in COMPOUND.classes]
    )
    assert len(quarantine) == 0
    assert table.codes("given").tolist() == [0, *range(11)]
    assert table.classes[2] == "Sadly Fearful" and table.classes[10] == "Disgustedly Surprised"


def test_compound_expressions_as_pairs_of_basic_ones(tmp_path):
    put_set(tmp_path / "raf", [*range(1, 12), 1], part="compound", test=1)
    table, quarantine, _ = ingest(tmp_path, "rafdb_compound")
    assert len(quarantine) == 0
    frame = table.frame.iloc[1:]
    assert frame["given"].tolist() == [
        "surprised", "disgusted", "fear", "angry", "surprised", "disgusted", "angry", "surprised",
        "surprised", "disgusted", "surprised",
    ]  # fmt: skip
    pairs = [
        {name for name in table.classes if row[f"true_p_{name}"] == 0.5}
        for _, row in frame.iterrows()
    ]
    assert pairs[0] == {"happy", "surprised"} and pairs[2] == {"sad", "fear"}
    assert pairs[6] == {"fear", "angry"} and pairs[10] == {"disgusted", "surprised"}
    shares = frame[[f"true_p_{name}" for name in table.classes]].to_numpy()
    np.testing.assert_array_equal(shares.sum(axis=1), 1)


@pytest.mark.parametrize("key", ["variant", "labels_path"])
def test_other_sources_refuse_what_they_do_not_read(key):
    with pytest.raises(FercleanError, match=rf"data\.{key} is only read by data\.source rafdb"):
        build_settings({"data": {"source": "image_folder", "path": "x", key: "y"}}, ["data"])
