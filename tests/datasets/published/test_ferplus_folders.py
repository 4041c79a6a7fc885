from __future__ import annotations

import numpy as np
import pytest

from ferclean.config.load import build_settings
from ferclean.datasets.published.ferplus_folders import FERPLUS, read_ferplus_folders
from ferclean.errors import FercleanError
from fixtures.picture_files import put_picture, run_ingest

FOLDERS = {"FER2013Train": "train", "FER2013Valid": "val", "FER2013Test": "test"}
# The publishers' order: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt.
ORDER = ("neutral", "happy", "surprised", "sad", "angry", "disgusted", "fear", "contempt")
WHOLE = "(0, 0, 48, 48)"


def line(name, votes, box=WHOLE):
    """One line of a list; `votes` are the ten counts."""
    return f'{name},"{box}",' + ",".join(map(str, votes))


def votes_for(column, count=10):
    votes = [0] * 10
    votes[column] = count
    return votes


def put_three(root, lines):
    """Write the layout; `lines` are the training list's, the others hold a happy face each."""
    other = [line("v.png", votes_for(1))]
    for folder, own in zip(FOLDERS, (lines, other, other), strict=True):
        (root / folder).mkdir(parents=True)
        (root / folder / "label.csv").write_text("\n".join(own) + "\n")
        for text in own:
            put_picture(root / folder / text.split(",")[0], len(list(root.rglob("*"))), form="PNG")


def ingest(tmp_path, **data):
    settings = {"source": "ferplus", "path": str(tmp_path / "set"), "classes": list(ORDER)}
    return run_ingest(tmp_path / "out", **settings | data)


def test_columns_and_folders_are_the_publishers(tmp_path):
    put_three(tmp_path / "set", [line(f"a{k}.png", votes_for(k)) for k in range(8)])
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "ferplus" and len(quarantine) == 0
    expected = {f"FER2013Train/a{k}.png": ("train", name) for k, name in enumerate(ORDER)}
    expected |= {f"{folder}/v.png": (split, "happy") for folder, split in list(FOLDERS.items())[1:]}
    frame = table.frame.set_index("sample_id")
    assert {name: (row["split"], row["given"]) for name, row in frame.iterrows()} == expected
    assert frame["path"].tolist() == frame.index.tolist()
    assert FERPLUS.classes[0] == "neutral" and FERPLUS.classes[-1] == "contempt"


def test_votes_are_the_truth_s_shares_and_their_winner_the_label(tmp_path):
    shared = [4, 0, 0, 1, 3, 2, 0, 0, 0, 0]
    put_three(tmp_path / "set", [line("a.png", shared)])
    for labels in ("given", "ferplus_winner"):
        source = read(tmp_path, labels=labels)
        first = source.frame.iloc[0]
        assert first["given"] == first["true"] == "neutral"
        assert first["votes_angry"] == 3 and first["true_p_sad"] == pytest.approx(0.1)


def read(tmp_path, **data):
    settings = {"source": "ferplus", "path": str(tmp_path / "set"), "classes": list(ORDER), **data}
    return read_ferplus_folders(build_settings({"data": settings}, ["data"]).data)


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], "FER+ votes are tied"),
        (votes_for(8), "FER+ winner is unknown"),
        (votes_for(9), "FER+ winner is not a face"),
        ([0] * 10, "no FER+ votes"),
        (["x", *[0] * 9], "no FER+ votes"),
    ],
)
def test_rows_without_a_winner_are_set_aside(tmp_path, votes, reason):
    put_three(tmp_path / "set", [line("a.png", votes), line("b.png", votes_for(3))])
    table, quarantine, _ = ingest(tmp_path)
    assert quarantine["reason"].tolist() == [reason]
    assert table.frame.set_index("sample_id")["given"]["FER2013Train/b.png"] == "sad"


def test_a_face_is_cut_out_by_its_box(tmp_path):
    lines = [line("a.png", votes_for(0), "(4, 8, 40, 38)"), line("b.png", votes_for(0), "whole")]
    put_three(tmp_path / "set", lines)
    table, quarantine, _ = ingest(tmp_path)
    sizes = table.frame.set_index("sample_id")[["width", "height"]]
    assert sizes.loc["FER2013Train/a.png"].tolist() == [36, 30]
    assert quarantine["reason"].tolist() == ["face box is not four numbers"]


@pytest.mark.parametrize("inside", [True, False])
def test_the_folder_or_the_one_that_holds_it(tmp_path, inside):
    put_three(tmp_path / "set" / "data", [line("a.png", votes_for(1))])
    path = tmp_path / "set" / "data" if inside else tmp_path / "set"
    table, _, _ = ingest(tmp_path, path=str(path))
    assert len(table.frame) == 3


@pytest.mark.parametrize(
    "text",
    [
        "a.png,(0, 0, 48, 48),4,0,0,1,3,2,0,0,0,0",
        line("a.png", votes_for(0)[:9]),
        line("", votes_for(0)),
        "Image name",
        '"' + "a" * 200_000,
    ],
)
def test_a_list_of_another_form_is_refused(tmp_path, text):
    put_three(tmp_path / "set", [line("a.png", votes_for(0))])
    listed = tmp_path / "set" / "FER2013Train" / "label.csv"
    listed.write_text(line("a.png", votes_for(0)) + "\n" + text + "\n")
    with pytest.raises(FercleanError, match=r"label\.csv, line 2: expected a picture, a box"):
        read(tmp_path)
    listed.write_text("\n")
    with pytest.raises(FercleanError, match=r"FER2013Train/label\.csv is empty"):
        read(tmp_path)


def test_a_missing_part_is_named(tmp_path):
    put_three(tmp_path / "set", [line("a.png", votes_for(0))])
    (tmp_path / "set" / "FER2013Valid" / "label.csv").unlink()
    with pytest.raises(FercleanError, match=r"FER2013Valid/label\.csv is missing"):
        read(tmp_path)


def test_a_noise_list_goes_by_the_order_of_the_votes(tmp_path):
    put_three(tmp_path / "set", [line("a.png", votes_for(0)), line("b.png", votes_for(6))])
    (tmp_path / "noise.txt").write_text("a.png 2\nb.png 6\n")
    source = read(tmp_path, labels_path=str(tmp_path / "noise.txt"))
    assert source.frame["given"].tolist()[:2] == ["surprised", "fear"]
    assert source.frame["true"].tolist()[:2] == ["neutral", "fear"]
    np.testing.assert_array_equal(source.frame["true_p_neutral"][:2], [1, 0])
