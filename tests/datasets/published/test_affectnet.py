from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ferclean.config.load import build_settings
from ferclean.datasets.published.affectnet import AFFECTNET, AFFECTNET_ARRAYS, read_affectnet
from ferclean.errors import FercleanError
from fixtures.picture_files import encode, put_picture, run_ingest, smooth_pixels

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
# The publishers' readme: 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger,
# 7 contempt.
SEVEN = ("neutral", "happy", "sad", "surprised", "fear", "disgusted", "angry")
EIGHT = ("surprised", "fear", "disgusted", "happy", "sad", "angry", "neutral", "contempt")


def line(name, number, box=(8, 4, 30, 40), valence="0.5", arousal="-0.25"):
    """One line of a list; the landmarks have semicolons as the publishers' have."""
    return ",".join(map(str, [name, *box, "1.5;2.5;3.0", number, valence, arousal]))


def put_lists(root, training, validation):
    """Write the layout with lists; pictures 48 x 48, one for each line that names a new one."""
    folder = root / "Manually_Annotated_file_lists"
    folder.mkdir(parents=True)
    (root / "Manually_Annotated_Images").mkdir()
    for name, lines in (("training", training), ("validation", validation)):
        (folder / f"{name}.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    for seed, text in enumerate([*training, *validation]):
        picture = root / "Manually_Annotated_Images" / text.split(",")[0]
        if not picture.exists() and ".." not in picture.parts:
            put_picture(picture, seed, form="JPEG", quality=95)


def put_face(root, folder, name, seed, number, valence=0.5, arousal=-0.25):
    """Write one face of the layout with arrays."""
    annotations = root / folder / "annotations"
    annotations.mkdir(parents=True, exist_ok=True)
    for ending, value in (("exp", number), ("val", valence), ("aro", arousal)):
        np.save(annotations / f"{name}_{ending}.npy", np.array(value))
    return put_picture(root / folder / "images" / f"{name}.jpg", seed, form="JPEG")


def put_arrays(root, training, validation):
    """Write the layout with arrays, pictures numbered from 0 in both folders."""
    for folder, numbers in (("train_set", training), ("val_set", validation)):
        for name, number in enumerate(numbers):
            put_face(root, folder, name, name + 100 * (folder == "val_set"), number)


def ingest(tmp_path, **data):
    settings = {"source": "affectnet", "path": str(tmp_path / "set"), "validation_fraction": 0}
    return run_ingest(tmp_path / "out", **settings | data)


def read(tmp_path, **data):
    settings = {"source": "affectnet", "path": str(tmp_path / "set")}
    return read_affectnet(build_settings({"data": settings | data}, ["data"]).data)


def test_numbers_of_the_lists_are_the_publishers(tmp_path):
    training = [line(f"1/{number}.jpg", number) for number in range(7)]
    put_lists(tmp_path / "set", training, [line("2/7.jpg", 1), line("2/8.jpg", 6)])
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "affectnet" and len(quarantine) == 0
    assert table.frame["given"].tolist() == [*SEVEN, "happy", "angry"]
    assert table.frame["split"].tolist() == ["train"] * 7 + ["test"] * 2
    assert table.frame["sample_id"].iloc[0] == "Manually_Annotated_Images/1/0.jpg"
    assert "true" not in table.frame


@pytest.mark.parametrize("text", [False, True])
def test_numbers_of_the_arrays_are_the_publishers(tmp_path, text):
    numbers = [str(number) if text else number for number in range(7)]
    put_arrays(tmp_path / "set", numbers, numbers[5:])
    table, quarantine, _ = ingest(tmp_path, variant="arrays")
    assert len(quarantine) == 0
    assert table.frame["given"].tolist() == [*SEVEN, "disgusted", "angry"]
    assert table.frame["split"].tolist() == ["train"] * 7 + ["test"] * 2
    assert table.frame["path"].iloc[[0, 8]].tolist() == [
        "train_set/images/0.jpg", "val_set/images/1.jpg",
    ]  # fmt: skip


@pytest.mark.parametrize("variant", ["lists", "arrays"])
def test_classes_decide_on_contempt(tmp_path, variant):
    if variant == "lists":
        training = [line("1/0.jpg", 0), line("1/1.jpg", 7)]
        put_lists(tmp_path / "set", training, [line("2/2.jpg", 7)])
    else:
        put_arrays(tmp_path / "set", [0, 7], [7])
    seven, quarantine, _ = ingest(tmp_path, variant=variant)
    assert seven.frame["given"].tolist() == ["neutral"]
    assert quarantine["reason"].tolist() == ["unknown label: 'contempt'"] * 2
    eight, quarantine, _ = ingest(tmp_path, variant=variant, classes=EIGHT)
    assert eight.frame["given"].tolist() == ["neutral", "contempt", "contempt"]
    assert len(quarantine) == 0


def test_no_expression_is_a_reason(tmp_path):
    numbers = [1, 8, 9, 10, 11, -1, "", "happy"]
    training = [line(f"1/{row}.jpg", number) for row, number in enumerate(numbers)]
    put_lists(tmp_path / "set", training, [line("2/9.jpg", 0)])
    table, quarantine, _ = ingest(tmp_path, classes=EIGHT)
    assert len(table) == 2
    assert quarantine["reason"].tolist() == [
        "unknown label: 'none'",
        "unknown label: 'uncertain'",
        "unknown label: 'non-face'",
        "unknown label: '11 (no number 0 to 10)'",
        "unknown label: '-1 (no number 0 to 10)'",
        "missing label",
        "unknown label: 'happy (no number 0 to 10)'",
    ]


def test_valence_and_arousal_of_the_lists(tmp_path):
    values = [("0.785714", "-0.055556"), ("-2", "-2"), ("-1", "1"), ("", "high"), ("0", "1.1")]
    training = [line(f"1/{row}.jpg", 1, (8, 4, 30, 40), *pair) for row, pair in enumerate(values)]
    put_lists(tmp_path / "set", training, [line("2/9.jpg", 0)])
    frame = ingest(tmp_path)[0].frame.iloc[:5]
    assert frame["valence"].dtype == frame["arousal"].dtype == np.float32
    gone = np.nan
    wanted = np.array([[0.785714, -0.055556], [gone, gone], [-1, 1], [gone, gone], [0, gone]])
    found = frame[["valence", "arousal"]].to_numpy()
    np.testing.assert_array_equal(found, wanted.astype(np.float32))


def test_valence_and_arousal_of_the_arrays(tmp_path, capsys):
    root = tmp_path / "set"
    put_arrays(root, [1, 1, 1, 1], [1])
    for name, pair in enumerate([("0.25", "-0.5"), (-2.0, -2), (np.float32(1), b"-1")]):
        put_face(root, "train_set", name, name, 1, *pair)
    (root / "train_set" / "annotations" / "3_val.npy").unlink()
    table, quarantine, _ = ingest(tmp_path, variant="arrays")
    assert len(quarantine) == 0
    frame = table.frame.iloc[:4]
    assert frame["valence"].dtype == frame["arousal"].dtype == np.float32
    np.testing.assert_array_equal(frame["valence"], np.float32([0.25, np.nan, 1, np.nan]))
    np.testing.assert_array_equal(frame["arousal"], np.float32([-0.5, np.nan, -1, -0.25]))
    said = capsys.readouterr().err
    assert "valence of 1 pictures is missing, for example" in said and "3_val.npy: file not" in said
    assert "arousal of" not in said


def test_faces_are_cut_out_of_the_photographs(tmp_path):
    training = [line("1/0.jpg", 1, (10, 3, 20, 30)), line("1/1.jpg", 9, (10, 3, 20, 30))]
    put_lists(tmp_path / "set", training, [line("2/2.tif", 2, (-5, 40, 99, 99))])
    source = read(tmp_path)
    faces = dict(source.pictures)
    assert set(faces) == {0, 2}  # nobody decodes a photograph of no expression
    for row, rows, columns in ((0, slice(3, 33), slice(10, 30)), (2, slice(40, 48), slice(48))):
        photograph = Image.open(tmp_path / "set" / source.frame["path"][row]).convert("RGB")
        face = Image.open(io.BytesIO(faces[row]))
        assert face.format == "PNG"
        np.testing.assert_array_equal(np.asarray(face), np.asarray(photograph)[rows, columns])


def test_pictures_of_the_arrays_come_as_they_are(tmp_path):
    put_arrays(tmp_path / "set", [1, 2], [3])
    source = read(tmp_path, variant="arrays")
    assert dict(source.pictures) == {
        row: (tmp_path / "set" / path).read_bytes() for row, path in enumerate(source.frame["path"])
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line("1/9.jpg", 1, (0, 0, 0, 10)), "empty face box: 0, 0, 0, 10"),
        (line("1/9.jpg", 1, (5, 5, 10, -3)), "empty face box: 5, 5, 15, 2"),
        (
            line("1/9.jpg", 1, (48, 0, 9, 9)),
            "face box outside the photograph: 48, 0, 57, 9 of 48 x 48",
        ),
        (line("1/9.jpg", 1, ("NULL", 0, 9, 9)), "face box is not four numbers"),
        (line("1/9.jpg", 1, (0, 0, "", 9)), "face box is not four numbers"),
        (line("1/10.jpg", 1), "file not found"),
        (line("../../secret.jpg", 1), "path leads outside the data folder"),
        (line("", 1), "not a regular file"),
        (line("1/0.jpg", 1), "repeated sample_id"),
    ],
)
def test_rows_of_the_lists_that_cannot_be_used_are_quarantined(tmp_path, text, reason):
    training = [line("1/0.jpg", 0), line("1/1.jpg", 1)]
    put_lists(tmp_path / "set", training, [line("2/2.jpg", 2)])
    put_picture(tmp_path / "set" / "Manually_Annotated_Images" / "1" / "9.jpg", 9, form="JPEG")
    put_picture(tmp_path / "secret.jpg", 10, form="JPEG")
    path = tmp_path / "set" / "Manually_Annotated_file_lists" / "training.csv"
    path.write_text(path.read_text() + text + "\n")
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 3
    assert quarantine["reason"].tolist() == [reason]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_byte_order_mark_and_line_ends_do_not_matter(tmp_path, mark, end):
    put_lists(tmp_path / "set", [line("1/0.jpg", 0), line("1/1.jpg", 1)], [line("2/2.jpg", 2)])
    for path in (tmp_path / "set" / "Manually_Annotated_file_lists").iterdir():
        path.write_bytes(mark + path.read_bytes().replace(b"\n", end))
    table, _, _ = ingest(tmp_path)
    assert table.frame["given"].tolist() == ["neutral", "happy", "sad"]
    np.testing.assert_array_equal(table.frame["arousal"], np.float32([-0.25] * 3))


@pytest.mark.parametrize("column", ["subDirectory_filePath", "face_width", "expression", "arousal"])
def test_a_missing_column_is_named(tmp_path, column):
    put_lists(tmp_path / "set", [line("1/0.jpg", 0)], [line("2/2.jpg", 2)])
    path = tmp_path / "set" / "Manually_Annotated_file_lists" / "validation.csv"
    path.write_text(path.read_text().replace(column, "other"))
    with pytest.raises(FercleanError, match=rf"validation\.csv: column '{column}' is missing"):
        ingest(tmp_path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", r"training\.csv: column 'subDirectory_filePath' is missing \(found: none\)"),
        (HEADER.encode(), r"training\.csv is empty"),
        (HEADER.encode() + b"\n1/0.jpg,1,2\n", r"training\.csv, line 2: expected 9 values"),
        (b"\xff\xfe\x00", r"training\.csv is not UTF-8 text"),
    ],
)
def test_a_list_that_is_none_is_named(tmp_path, data, said):
    put_lists(tmp_path / "set", [line("1/0.jpg", 0)], [line("2/2.jpg", 2)])
    (tmp_path / "set" / "Manually_Annotated_file_lists" / "training.csv").write_bytes(data)
    with pytest.raises(FercleanError, match=said):
        ingest(tmp_path)


def npy(value):
    stream = io.BytesIO()
    np.save(stream, np.array(value))
    return stream.getvalue()


NPZ = io.BytesIO()
np.savez(NPZ, np.array(1))
NO_NUMBERS, NOT_ONE = "not an .npy file of plain numbers", "not one number"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", NO_NUMBERS),
        (b"3", NO_NUMBERS),
        (npy(3)[:-1], NO_NUMBERS),
        (npy(3).replace(b"'shape': ()", b"'shape': (("), NO_NUMBERS),
        (npy(3).replace(b"'shape': (), }   ", b"'shape': (9,), }"), NO_NUMBERS),
        (npy([3, 4]), NOT_ONE),
        (npy([]), NOT_ONE),
        (NPZ.getvalue(), NOT_ONE),
    ],
)
def test_broken_arrays_are_quarantined(tmp_path, data, why):
    put_arrays(tmp_path / "set", [0, 1, 2], [3])
    (tmp_path / "set" / "train_set" / "annotations" / "1_exp.npy").write_bytes(data)
    table, quarantine, _ = ingest(tmp_path, variant="arrays")
    assert table.frame["given"].tolist() == ["neutral", "sad", "surprised"]
    assert quarantine["path"].tolist() == ["train_set/images/1.jpg"]
    assert quarantine["reason"].tolist() == [
        f"unreadable annotation: train_set/annotations/1_exp.npy: {why}"
    ]


class Harmful:
    """What runs a command where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickled_array_is_refused_and_not_run(tmp_path):
    put_arrays(tmp_path / "set", [0, 1, 2], [3])
    mark = tmp_path / "run"
    path = tmp_path / "set" / "train_set" / "annotations" / "1_exp.npy"
    np.save(path, np.array(Harmful(mark), dtype=object), allow_pickle=True)
    np.load(path, allow_pickle=True)
    assert mark.exists()  # it would have run
    mark.unlink()
    table, quarantine, _ = ingest(tmp_path, variant="arrays")
    assert not mark.exists() and len(table) == 3
    assert quarantine["reason"].tolist() == [
        f"unreadable annotation: train_set/annotations/1_exp.npy: {NO_NUMBERS}"
    ]


def test_what_the_arrays_lack_is_quarantined(tmp_path):
    root = tmp_path / "set"
    put_arrays(root, [0, 1, 2, 8], [3, "joy"])
    put_picture(tmp_path / "secret.jpg", 50, form="JPEG")
    (root / "train_set" / "images" / "0.jpg").unlink()
    (root / "train_set" / "annotations" / "1_exp.npy").unlink()
    put_face(root, "val_set", 7, 70, 1).unlink()
    (root / "val_set" / "images" / "7.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "val_set" / "images" / "notes.txt").write_text("no picture")
    table, quarantine, _ = ingest(tmp_path, variant="arrays")
    assert table.frame["path"].tolist() == ["train_set/images/2.jpg", "val_set/images/0.jpg"]
    missing = "unreadable annotation: {}_exp.npy: file not found"
    assert dict(zip(quarantine["path"], quarantine["reason"], strict=True)) == {
        "train_set/images/0.jpg": "file not found",
        "train_set/images/1.jpg": missing.format("train_set/annotations/1"),
        "train_set/images/3.jpg": "unknown label: '8 (no number 0 to 7)'",
        "val_set/images/1.jpg": "unknown label: 'joy (no number 0 to 7)'",
        "val_set/images/7.jpg": "path leads outside the data folder",
        "val_set/images/notes.txt": missing.format("val_set/annotations/notes"),
    }


def test_a_name_that_is_no_text_is_quarantined(tmp_path):
    put_arrays(tmp_path / "set", [0], [3])
    images = bytes(tmp_path / "set" / "train_set" / "images")
    with open(images + b"/\xff.jpg", "wb") as stream:  # noqa: PTH123
        stream.write(encode(smooth_pixels(9), "JPEG"))
    table, quarantine, _ = ingest(tmp_path, variant="arrays")
    assert len(table) == 2
    assert quarantine["path"].tolist() == [r"train_set/images/\udcff.jpg"]


def test_what_is_missing_is_said(tmp_path):
    root = tmp_path / "set"
    put_arrays(root, [0], [3])
    with pytest.raises(FercleanError, match=r"AffectNet \(lists\).*training\.csv is missing; get"):
        ingest(tmp_path)
    for path in (root / "val_set" / "annotations").iterdir():
        path.unlink()
    (root / "val_set" / "images" / "0.jpg").unlink()
    with pytest.raises(FercleanError, match=r"val_set is empty"):
        ingest(tmp_path, variant="arrays")
    (root / "val_set" / "annotations").rmdir()
    with pytest.raises(FercleanError, match=r"AffectNet \(arrays\).*val_set/annotations is miss"):
        ingest(tmp_path, variant="arrays")
    with pytest.raises(FercleanError, match=r"variant.*'faces'.*lists, arrays"):
        ingest(tmp_path, variant="faces")


@pytest.mark.parametrize("variant", ["lists", "arrays"])
def test_a_list_of_noisy_labels_changes_training_rows_only(tmp_path, capsys, variant):
    if variant == "lists":
        training = [line(f"1/{row}.jpg", number) for row, number in enumerate([0, 1, 2])]
        put_lists(tmp_path / "set", training, [line("2/7.jpg", 3)])
    else:
        put_arrays(tmp_path / "set", [0, 1, 2], [3])
    (tmp_path / "noise.txt").write_text("2.jpg 6\n1.jpg 1\n0.jpg 5\n")
    table, _, _ = ingest(tmp_path, variant=variant, labels_path=str(tmp_path / "noise.txt"))
    assert table.frame["given"].tolist() == ["disgusted", "happy", "angry", "surprised"]
    assert table.frame["true"].tolist() == ["neutral", "happy", "sad", "surprised"]
    # The test picture 0.jpg of the arrays is another one than the list's.
    assert "labels of test pictures differ" not in capsys.readouterr().err


def test_a_broken_array_stays_refused_under_noisy_labels(tmp_path):
    put_arrays(tmp_path / "set", [0, 1], [3])
    (tmp_path / "set" / "train_set" / "annotations" / "1_exp.npy").write_bytes(b"")
    (tmp_path / "noise.txt").write_text("0.jpg 5\n1.jpg 1\n")
    labels = str(tmp_path / "noise.txt")
    table, quarantine, _ = ingest(tmp_path, variant="arrays", labels_path=labels)
    assert len(table) == 2 and len(quarantine) == 1


def test_published_counts_are_those_of_the_paper():
    assert {split: sum(counts) for split, counts in AFFECTNET.counts.items()} == AFFECTNET.rows
    assert sum(AFFECTNET_ARRAYS.counts["train"]) == AFFECTNET_ARRAYS.rows["train"] == 287651
    assert sum(AFFECTNET.rows.values()) == 420299


@pytest.mark.parametrize("lists", ["", "Manually_Annotated", "Manually_Annotated_file_lists"])
@pytest.mark.parametrize("pictures", ["", "Manually_Annotated", "Manually_Annotated_compressed"])
def test_archives_may_be_unpacked_side_by_side_or_into_each_other(tmp_path, lists, pictures):
    root = tmp_path / "set"
    put_lists(root, [line("1/a.jpg", 3)], [line("2/b.jpg", 6)])
    (root / pictures).mkdir(exist_ok=True)
    folder = root / pictures / "Manually_Annotated_Images"
    (root / "Manually_Annotated_Images").rename(folder)
    for name in ("training.csv", "validation.csv"):
        (root / lists).mkdir(exist_ok=True)
        (root / "Manually_Annotated_file_lists" / name).rename(root / lists / name)
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    prefix = str(folder.relative_to(root))
    assert table.frame["path"].tolist() == [f"{prefix}/1/a.jpg", f"{prefix}/2/b.jpg"]
