from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ferclean.config.load import build_settings
from ferclean.datasets.published.expw import EXPW, read_expw
from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest

# The publishers' readme: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral.
NUMBERING = ("angry", "disgusted", "fear", "happy", "sad", "surprised", "neutral")


def line(name, face, number, box=(4, 8, 38, 44)):
    """One line of the list; the box is top, left, right, bottom."""
    return " ".join(map(str, [name, face, *box, "22.9362", number]))


def put_set(root, lines):
    """Write the publishers' layout, a photograph of 48 x 48 for each name."""
    (root / "label").mkdir(parents=True)
    (root / "label" / "label.lst").write_text("\n".join(lines) + "\n")
    for name in dict.fromkeys(text.split(" ")[0] for text in lines):
        put_picture(root / "image" / "origin" / name, len(list(root.rglob("*"))), form="JPEG")


def ingest(tmp_path, **data):
    settings = {"source": "expw", "path": str(tmp_path / "set"), "validation_fraction": 0}
    return run_ingest(tmp_path / "out", **settings | data)


def test_numbers_are_the_publishers(tmp_path):
    put_set(tmp_path / "set", [line(f"a_{number}.jpg", 0, number) for number in range(7)])
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "expw" and len(quarantine) == 0
    assert table.frame["given"].tolist() == list(NUMBERING)
    assert table.frame["split"].tolist() == ["train"] * 7
    assert "true" not in table.frame


def test_every_face_of_a_photograph_is_a_sample(tmp_path):
    lines = [
        line("a.jpg", 0, 3, (1, 2, 20, 40)),
        line("b.jpg", 0, 4),
        line("a.jpg", 1, 6, (5, 21, 99, 30)),
    ]
    put_set(tmp_path / "set", lines)
    settings = {"data": {"source": "expw", "path": str(tmp_path / "set")}}
    source = read_expw(build_settings(settings, ["data"]).data)
    assert source.frame["sample_id"].tolist() == [
        "image/origin/a.jpg#0", "image/origin/b.jpg#0", "image/origin/a.jpg#1",
    ]  # fmt: skip
    assert source.frame["path"].tolist() == [
        "image/origin/a.jpg", "image/origin/b.jpg", "image/origin/a.jpg",
    ]  # fmt: skip
    faces = list(source.pictures)
    assert [row for row, _ in faces] == [0, 2, 1]  # of one photograph together
    photograph = np.asarray(Image.open(tmp_path / "set" / "image" / "origin" / "a.jpg"))
    found = [Image.open(io.BytesIO(face)) for _, face in faces]
    assert found[0].format == "PNG"
    np.testing.assert_array_equal(np.asarray(found[0]), photograph[1:40, 2:20])
    np.testing.assert_array_equal(np.asarray(found[1]), photograph[5:30, 21:48])
    table, _, _ = ingest(tmp_path)
    assert table.frame["given"].tolist() == ["happy", "neutral", "sad"]
    assert table.frame[["width", "height"]].to_numpy().tolist() == [[18, 39], [27, 25], [30, 40]]


@pytest.mark.parametrize("inside", [True, False])
def test_the_folder_or_the_one_that_holds_it(tmp_path, inside):
    put_set(tmp_path / "set" / "data", [line("a.jpg", 0, 3)])
    path = tmp_path / "set" / "data" if inside else tmp_path / "set"
    table, _, _ = ingest(tmp_path, path=str(path))
    assert table.frame["sample_id"].tolist() == ["image/origin/a.jpg#0"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line("b.jpg", 0, 7), "unknown label: '7 (no number 0 to 6)'"),
        (line("b.jpg", 0, -1), "unknown label: '-1 (no number 0 to 6)'"),
        (line("b.jpg", 0, 3, (9, 9, 9, 20)), "empty face box: 9, 9, 9, 20"),
        (line("b.jpg", 0, 3, (30, 9, 20, 10)), "empty face box: 9, 30, 20, 10"),
        (
            line("b.jpg", 0, 3, (48, 0, 9, 60)),
            "face box outside the photograph: 0, 48, 9, 60 of 48 x 48",
        ),
        (line("b.jpg", 0, 3, (0, "x", 9, 9)), "face box is not four numbers"),
        (line("c.jpg", 0, 3), "file not found"),
        (line("../../../secret.jpg", 0, 3), "path leads outside the data folder"),
        (line("a.jpg", 0, 3), "repeated sample_id"),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined(tmp_path, text, reason):
    put_set(tmp_path / "set", [line("a.jpg", 0, 3), line("a.jpg", 1, 4, (0, 0, 9, 9))])
    put_picture(tmp_path / "set" / "image" / "origin" / "b.jpg", 70, form="JPEG")
    put_picture(tmp_path / "secret.jpg", 71, form="JPEG")
    path = tmp_path / "set" / "label" / "label.lst"
    path.write_text(path.read_text() + text + "\n")
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 2
    assert quarantine["reason"].tolist() == [reason]


def test_names_with_spaces_and_other_line_ends(tmp_path):
    put_set(tmp_path / "set", [line("a.jpg", 0, 3)])
    put_picture(tmp_path / "set" / "image" / "origin" / "two words.jpg", 5, form="JPEG")
    lines = [line("a.jpg", 0, 3), "", line("two words.jpg", 2, 6)]
    text = b"\xef\xbb\xbf" + "\r\n".join(lines).encode()
    (tmp_path / "set" / "label" / "label.lst").write_bytes(text)
    table, quarantine, _ = ingest(tmp_path)
    assert len(quarantine) == 0
    assert table.frame["given"].tolist() == ["happy", "neutral"]
    assert table.frame["sample_id"].tolist() == [
        "image/origin/a.jpg#0", "image/origin/two words.jpg#2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", r"label\.lst is empty"),
        (b"\na.jpg 0 1 2 3 4 3\n", r"label\.lst, line 2: expected a name and 7 numbers, found 'a"),
        (b"\xff\xfe\x00", r"label\.lst is not UTF-8 text"),
    ],
)
def test_a_list_that_is_none_is_named(tmp_path, data, said):
    put_set(tmp_path / "set", [line("a.jpg", 0, 3)])
    (tmp_path / "set" / "label" / "label.lst").write_bytes(data)
    with pytest.raises(FercleanError, match=said):
        ingest(tmp_path)


def test_what_is_missing_is_said(tmp_path):
    put_set(tmp_path / "set", [line("a.jpg", 0, 3)])
    with pytest.raises(FercleanError, match=r"ExpW.*label/label\.lst is missing; get it from http"):
        ingest(tmp_path, path=str(tmp_path))
    (tmp_path / "set" / "image" / "origin").rename(tmp_path / "set" / "image" / "other")
    with pytest.raises(FercleanError, match=r"ExpW.*image/origin is missing; get it from http"):
        ingest(tmp_path)
    with pytest.raises(FercleanError, match=r"variant.*'aligned'.*origin"):
        ingest(tmp_path, variant="aligned")


def test_a_list_of_noisy_labels_is_refused(tmp_path):
    put_set(tmp_path / "set", [line("a.jpg", 0, 3)])
    (tmp_path / "noise.txt").write_text("a.jpg 4\n")
    with pytest.raises(FercleanError, match=r"labels_path .*noise\.txt .* faces of one photograph"):
        ingest(tmp_path, labels_path=str(tmp_path / "noise.txt"))


def test_published_rows():
    assert EXPW.rows == {"train": 91793} and len(EXPW.classes) == 7


def test_no_photograph_is_held_out_in_part(tmp_path):
    lines = [line(f"{name}.jpg", face, 3, (4 + 9 * face, 8, 30, 44))
             for name in "abcdefgh" for face in range(2)]  # fmt: skip
    put_set(tmp_path / "set", lines)
    table, _, summary = ingest(tmp_path, validation_fraction=0.25)
    assert summary["identities_in_several_splits"] == 0
    held_out = table.frame.groupby("identity")["split"].agg(["nunique", "first"])
    assert held_out["nunique"].eq(1).all() and held_out["first"].eq("val").sum() == 2


def test_classes_have_their_published_rows():
    assert sum(EXPW.counts["train"]) == EXPW.rows["train"]
