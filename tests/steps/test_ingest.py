"""The step as a whole: nothing is lost, copies leave training, the same bytes again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.config.load import build_settings
from ferclean.datasets import registry
from ferclean.datasets.base import Source
from ferclean.datasets.ferplus import VOTE_COLUMNS
from ferclean.datasets.pictures import decode_picture
from ferclean.errors import FercleanError
from ferclean.steps.ingest import ingest
from ferclean.tables.packs import EncodedPack
from fixtures.picture_files import encode, put_picture, run_ingest, smooth_pixels

BROKEN = {10: b"", 11: b"junk", 12: encode(smooth_pixels(0))[:-30], 13: None}
LABELS = ["happy", "anger", "Sad", "bored", ""]
ROW = st.tuples(
    st.integers(0, 13), st.sampled_from(LABELS), st.sampled_from(["train", "val", "test", "dev"]),
    st.integers(0, 15),
)  # fmt: skip


def write_table(folder: Path, rows: list[tuple[int, str, str, int]]) -> Path:
    """Rows of (picture, label, split, id); pictures 10 to 13 are broken or missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(14):
        data = BROKEN.get(number, encode(smooth_pixels(number)))
        if data is not None:
            (folder / f"{number}.png").write_bytes(data)
    lines = [f"{picture}.png,{label},{split},id{name:02d}" for picture, label, split, name in rows]
    (folder / "t.csv").write_text("\n".join(["path,label,split,sample_id", *lines]) + "\n")
    return folder / "t.csv"


def ingest_rows(folder: Path, rows, **data):
    path = write_table(folder / "set", rows)
    return run_ingest(folder / "out", source="table", path=str(path), **data)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(ROW, max_size=25),
    duplicates=st.sampled_from(["drop_from_train", "keep"]),
    fraction=st.sampled_from([0.0, 0.3]),
)
def test_rows_in_are_rows_kept_and_quarantined(rows, duplicates, fraction):
    rows = [row for row in rows if row[0] != 0]
    rows.append((0, "sad", "train", 99))  # a training row that is nobody's copy
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, quarantine, summary = ingest_rows(
            folder, rows, duplicates=duplicates, validation_fraction=fraction
        )
        assert summary["rows"] == len(rows) == len(table) + len(quarantine)
        assert summary["quarantined"] == sum(summary["quarantined_by_reason"].values())
        assert summary["kept"] == sum(sum(c.values()) for c in summary["splits"].values())
        found = [*table.frame["sample_id"], *quarantine["sample_id"]]
        assert sorted(found) == sorted(f"id{row[3]:02d}" for row in rows)
        assert (quarantine["reason"] != "").all()
        pack = EncodedPack(folder / "out" / "pictures.arrow")
        for row in table.frame.itertuples():
            assert decode_picture(pack.picture(row.sample_id), max_pixels=10**6).shape == (
                48,
                48,
                3,
            )
        if duplicates == "drop_from_train":
            training = set(table.frame["sha256"][table.in_split("train")])
            assert training.isdisjoint(table.frame["sha256"][~table.in_split("train")])


def test_the_files_say_what_happened(tmp_path):
    rows = [
        (0, "sad", "train", 0), (0, "happy", "test", 1), (1, "sad", "train", 2),
        (1, "angry", "train", 3), (2, "happy", "train", 4), (2, "happy", "val", 5),
        (3, "bored", "test", 6), (3, "sad", "train", 7), (11, "sad", "train", 8),
    ]  # fmt: skip
    table, quarantine, summary = ingest_rows(tmp_path, rows)
    assert table.frame["sample_id"].tolist() == ["id01", "id02", "id03", "id05", "id07"]
    assert list(table.frame.columns) == [
        "sample_id", "path", "split", "given", "width", "height", "sha256",
    ]  # fmt: skip
    assert quarantine.to_numpy().tolist() == [
        ["id00", "0.png", "exact copy of test picture: id01"],
        ["id04", "2.png", "exact copy of val picture: id05"],
        ["id06", "3.png", "unknown label: 'bored'"],
        ["id08", "11.png", "not a picture in a supported format"],
    ]
    duplicates = pd.read_csv(tmp_path / "out" / "duplicates.csv", keep_default_na=False)
    assert duplicates.drop(columns="distance").to_numpy().tolist() == [
        ["exact", "id00", "id01", "train", "test", "sad", "happy"],
        ["exact", "id02", "id03", "train", "train", "sad", "angry"],
        ["exact", "id04", "id05", "train", "val", "happy", "happy"],
        ["exact", "id06", "id07", "test", "train", "", "sad"],
    ]
    conflicts = pd.read_csv(tmp_path / "out" / "conflicts.csv")
    assert conflicts["sample_id"].tolist() == ["id00", "id01", "id02", "id03"]
    assert summary["duplicates"] == {
        "exact": 4, "near": 0, "near_search_complete": True, "conflicting_groups": 2,
        "copies_of_held_out_pictures": {
            "all_rows": {"test": {"pictures": 2, "training_copies": 2},
                         "val": {"pictures": 1, "training_copies": 1}},
            "usable_rows": {"test": {"pictures": 1, "training_copies": 1},
                            "val": {"pictures": 1, "training_copies": 1}},
        },
    }  # fmt: skip


def test_copies_may_be_kept(tmp_path):
    rows = [(0, "sad", "train", 0), (0, "sad", "test", 1)]
    table, quarantine, summary = ingest_rows(tmp_path, rows, duplicates="keep")
    assert len(table) == 2 and len(quarantine) == 0 and summary["duplicates"]["exact"] == 1


@pytest.mark.parametrize("fraction", [0.0, 0.4])
def test_validation_rows_are_drawn_from_what_training_keeps(tmp_path, fraction):
    rows = [(number % 10, "sad", "train", number) for number in range(20)]
    rows += [(number, "sad", "test", 20 + number) for number in (0, 1)]
    table, quarantine, summary = ingest_rows(tmp_path, rows, validation_fraction=fraction)
    held_out = table.frame[table.in_split("val")]
    kept = 16  # two pictures of ten, twice each, are copies of test pictures
    assert len(held_out) == round(fraction * kept)
    assert set(held_out["path"]).isdisjoint({"0.png", "1.png"})
    dropped = quarantine["reason"].str.startswith("exact copy of val picture").sum()
    copies = summary["duplicates"]["copies_of_held_out_pictures"]["usable_rows"]
    assert dropped == copies["val"]["training_copies"]
    assert copies["test"] == {"pictures": 2, "training_copies": 4}
    assert table.in_split("train").sum() == kept - len(held_out) - dropped


def test_the_same_input_gives_the_same_bytes(tmp_path):
    rows = [(number % 12, "sad", "train", number) for number in range(16)]
    path = write_table(tmp_path / "set", rows)
    for name in ("a", "b"):
        run_ingest(tmp_path / name, source="table", path=str(path))
    files = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert files == ["conflicts.csv", "duplicates.csv", "pictures.arrow", "quarantine.csv",
                     "samples.parquet", "summary.json"]  # fmt: skip
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_seed_moves_the_validation_rows(tmp_path):
    rows = [(number % 10, "sad", "train", number) for number in range(10)]
    path = write_table(tmp_path / "set", rows)
    drawn = set()
    for seed in range(5):
        table, _, _ = run_ingest(
            tmp_path / "out", source="table", path=str(path), seed=seed, validation_fraction=0.3
        )
        drawn.add(tuple(table.frame["sample_id"][table.in_split("val")]))
    assert len(drawn) > 1


def test_large_pictures_are_refused_by_their_size(tmp_path):
    rows = [(0, "sad", "train", 0), (1, "sad", "train", 1)]
    put_picture(tmp_path / "set" / "large.png", 3)
    path = write_table(tmp_path / "set", rows)
    (tmp_path / "set" / "1.png").write_bytes(encode(smooth_pixels(1, side=100)))
    _, quarantine, _ = run_ingest(
        tmp_path / "out", source="table", path=str(path), max_pixels=48 * 48
    )
    assert quarantine["reason"].tolist() == ["too many pixels: 100 x 100"]


def test_no_usable_training_row_is_an_error_that_says_why(tmp_path):
    rows = [(10, "sad", "train", 0), (10, "sad", "train", 1), (0, "sad", "test", 2)]
    with pytest.raises(FercleanError, match=r"2 of 3 rows were refused.*'empty file'"):
        ingest_rows(tmp_path, rows)
    assert not (tmp_path / "out" / "samples.parquet").exists()


def test_identities_in_several_splits_are_counted(tmp_path, monkeypatch):
    frame = pd.DataFrame({
        "sample_id": ["d", "c", "b", "a"], "path": ["x"] * 4, "given": ["sad"] * 4,
        "split": ["train", "val", "train", "test"], "identity": [1, 1, 2, 3], "reason": None,
    })  # fmt: skip
    pictures = ((row, encode(smooth_pixels(row))) for row in (3, 1, 0, 2))
    monkeypatch.setitem(registry.READERS, "rendered", lambda _: Source("x", frame, pictures))
    table, _, summary = run_ingest(tmp_path / "out", source="rendered")
    assert summary["identities_in_several_splits"] == 1
    assert table.frame["identity"].tolist() == [3, 2, 1, 1]
    pack = EncodedPack(tmp_path / "out" / "pictures.arrow")
    assert pack.picture("a") == encode(smooth_pixels(3))


def test_a_reader_that_loses_a_row_is_caught(tmp_path, monkeypatch):
    frame = pd.DataFrame({"sample_id": ["a"], "path": ["x"], "split": ["train"],
                          "given": ["sad"], "reason": None})  # fmt: skip
    monkeypatch.setitem(registry.READERS, "rendered", lambda _: Source("x", frame, iter(())))
    with pytest.raises(RuntimeError, match="no picture for 1 rows"):
        ingest(output=tmp_path, settings=build_settings({"data": {}}, ["data"]))


@pytest.fixture(scope="module")
def ferplus(shared_data_dir, tmp_path_factory):
    """Both label choices of protocol P1."""
    found = {}
    for labels in ("given", "ferplus_winner"):
        output = tmp_path_factory.mktemp(labels)
        found[labels] = (output, *run_ingest(
            output, source="fer2013_parquet", path=str(shared_data_dir / "fer2013plus.parquet"),
            labels=labels, validation_fraction=0,
        ))  # fmt: skip
    return found


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("labels", ["given", "ferplus_winner"])
def test_protocol_p1_has_its_rows(ferplus, labels):
    _, table, _, summary = ferplus[labels]
    assert summary["rows"] == 32298
    assert table.in_split("train").sum() == 26461
    assert table.in_split("test").sum() == 3372
    assert not table.in_split("val").any()
    copies = summary["duplicates"]["copies_of_held_out_pictures"]
    assert copies["all_rows"]["test"]["pictures"] == 279
    assert copies["usable_rows"]["test"] == {"pictures": 259, "training_copies": 316}
    assert summary["duplicates"]["near_search_complete"]


@pytest.mark.slow
@pytest.mark.shared_data
def test_protocol_p1_has_its_wrong_labels(ferplus):
    _, real, _, _ = ferplus["given"]
    _, winner, _, _ = ferplus["ferplus_winner"]
    assert real.frame["sample_id"].equals(winner.frame["sample_id"])
    assert (real.codes("true") == winner.codes("given")).all()
    training = real.in_split("train")
    wrong = (real.codes("given") != real.codes("true"))[training].mean()
    assert round(100 * wrong, 1) == 34.4
    assert (winner.codes("given") == winner.codes("true")).all()
    shares = real.matrix("true_p_")
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares.argmax(axis=1) == real.codes("true")).all()


@pytest.mark.slow
@pytest.mark.shared_data
def test_a_strict_majority_of_votes_judges_the_published_share(ferplus):
    _, table, _, _ = ferplus["given"]
    judged = table.in_split("train") & (table.matrix("votes_").max(axis=1) >= 6)
    wrong = (table.codes("given") != table.codes("true"))[judged]
    assert judged.sum() == 21480
    assert round(100 * wrong.mean(), 1) == 28.1


def write_csv_form(parquet, folder):
    """Write FER2013's csv and FER+'s votes file from the file that joins them.

    Pictures that the Parquet reader refuses (lossy copies) get no pixels.
    """
    table = pq.read_table(parquet).sort_by("index")
    assert table["index"].to_pylist() == list(range(len(table)))
    words = [str(value) for value in range(256)]
    with (folder / "fer2013.csv").open("w") as stream:
        stream.write("emotion,pixels,Usage\n")
        columns = (table[name].to_pylist() for name in ("label", "image", "usage", "image_src"))
        for label, picture, usage, source in zip(*columns, strict=True):
            text = ""
            if source == 1:
                pixels = decode_picture(picture, max_pixels=48 * 48)[..., 0]
                text = " ".join(map(words.__getitem__, pixels.tobytes()))
            stream.write(f"{label},{text},{usage}\n")
    votes = table.select(["usage", *(f"fp_{name}" for name in VOTE_COLUMNS)]).to_pandas()
    votes.columns = ["Usage", *VOTE_COLUMNS]
    votes.to_csv(folder / "fer2013new.csv", index=False)


@pytest.mark.slow
@pytest.mark.shared_data
def test_the_csv_form_of_fer2013_gives_the_same_table(ferplus, shared_data_dir, tmp_path):
    write_csv_form(shared_data_dir / "fer2013plus.parquet", tmp_path)
    _, table, _, summary = ferplus["given"]
    again, _, found = run_ingest(
        tmp_path / "out", source="fer2013_csv", path=str(tmp_path / "fer2013.csv"),
        votes_path=str(tmp_path / "fer2013new.csv"), validation_fraction=0,
    )  # fmt: skip
    pd.testing.assert_frame_equal(
        again.frame.drop(columns="path"), table.frame.drop(columns="path")
    )
    assert {key: found[key] for key in ("rows", "kept", "splits", "duplicates")} == {
        key: summary[key] for key in ("rows", "kept", "splits", "duplicates")
    }
