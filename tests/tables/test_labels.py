"""The label table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.errors import FercleanError
from ferclean.tables.labels import (
    SPLITS,
    TRAINING_COLUMNS,
    labels_from_codes,
    make_table,
    read_label_table,
    read_training_table,
    write_label_table,
)

CLASSES = ("happy", "sad", "angry")
TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=10)


def frame(**changes: object) -> pd.DataFrame:
    columns = {
        "sample_id": ["b", "a", "c"],
        "path": ["b.png", "a.png", "c.png"],
        "split": ["train", "val", "test"],
        "given": ["sad", "happy", None],
    }
    return pd.DataFrame(columns | changes)


@st.composite
def tables(draw):
    classes = draw(st.lists(TEXT, min_size=1, max_size=5, unique=True))
    ids = draw(st.lists(TEXT, max_size=8, unique=True))
    rows = len(ids)
    labels = st.lists(st.integers(-1, len(classes) - 1), min_size=rows, max_size=rows)
    columns = {
        "sample_id": pd.Series(ids, dtype=object),
        "path": pd.Series(draw(st.lists(TEXT, min_size=rows, max_size=rows)), dtype=object),
        "split": pd.Series(
            draw(st.lists(st.sampled_from(SPLITS), min_size=rows, max_size=rows)), dtype=object
        ),
        "face_row": np.arange(rows),
        "given": labels_from_codes(np.array(draw(labels), dtype=int), classes),
        "observed": labels_from_codes(np.array(draw(labels), dtype=int), classes),
        "true": labels_from_codes(np.array(draw(labels), dtype=int), classes),
    }
    return make_table(pd.DataFrame(columns), classes, draw(TEXT))


@settings(max_examples=30)
@given(tables())
def test_a_table_comes_back(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("table") / "labels.parquet"
    write_label_table(table, path)
    read = read_label_table(path)
    assert (read.classes, read.dataset, len(read)) == (table.classes, table.dataset, len(table))
    for column in ("sample_id", "path", "split", "face_row"):
        assert read.frame[column].tolist() == table.frame[column].tolist()
    for column in ("given", "observed", "true"):
        np.testing.assert_array_equal(read.codes(column), table.codes(column))
        assert tuple(read.frame[column].cat.categories) == table.classes


@pytest.mark.slow
@settings(max_examples=30)
@given(tables())
def test_the_same_table_gives_the_same_bytes(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("table")
    for name in ("a", "b"):
        write_label_table(table, folder / name)
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()
    for source, copy in (("a", "c"), ("c", "d")):
        write_label_table(read_label_table(folder / source), folder / copy)
    assert (folder / "c").read_bytes() == (folder / "d").read_bytes()


@settings(max_examples=30)
@given(tables(), st.randoms(use_true_random=False))
def test_rows_are_sorted_by_sample_id_whatever_their_order(table, random):
    shuffled = table.frame.sample(frac=1, random_state=random.randrange(2**31))
    again = make_table(shuffled, table.classes, table.dataset)
    assert again.frame["sample_id"].tolist() == sorted(table.frame["sample_id"])
    pd.testing.assert_frame_equal(again.frame, table.frame)


@pytest.mark.slow
@given(tables(), st.data())
def test_some_rows_are_those_rows_in_their_order(table, data):
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table))), dtype=bool
    )
    taken = table.take(mask)
    assert taken.frame["sample_id"].tolist() == table.frame["sample_id"][mask].tolist()
    np.testing.assert_array_equal(taken.codes("given"), table.codes("given")[mask])
    shuffled = np.random.default_rng(0).permutation(np.flatnonzero(mask))
    pd.testing.assert_frame_equal(table.take(shuffled).frame, taken.frame)
    pd.testing.assert_frame_equal(
        table.take(mask).with_columns(observed=taken.frame["observed"]).frame, taken.frame
    )


@pytest.mark.slow
@given(tables(), st.data())
def test_a_new_column_changes_no_other(table, data):
    codes = st.lists(
        st.integers(-1, len(table.classes) - 1), min_size=len(table), max_size=len(table)
    )
    new = np.array(data.draw(codes), dtype=int)
    added = table.with_columns(label=labels_from_codes(new, table.classes))
    np.testing.assert_array_equal(added.codes("label"), new)
    pd.testing.assert_frame_equal(added.frame.drop(columns="label"), table.frame)


@settings(max_examples=30)
@given(tables())
def test_training_reads_only_its_columns_and_all_rows(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("table") / "labels.parquet"
    write_label_table(table, path)
    read = read_training_table(path)
    assert tuple(read.frame.columns) == TRAINING_COLUMNS
    pd.testing.assert_frame_equal(read.frame, table.frame[[*TRAINING_COLUMNS]], check_dtype=False)


def test_codes_follow_the_order_of_the_classes_and_missing_is_minus_one():
    table = make_table(frame(), CLASSES, "d")
    assert table.codes("given").tolist() == [0, 1, -1]
    assert table.codes("given").dtype == np.int64
    assert make_table(frame(), ("sad", "happy"), "d").codes("given").tolist() == [1, 0, -1]


def test_matrix_is_in_class_order():
    votes = {"votes_sad": [4, 1, 7], "votes_happy": [5, 2, 8], "votes_angry": [6, 3, 9]}
    table = make_table(frame(**votes), CLASSES, "d")
    assert table.matrix("votes_").tolist() == [[2, 1, 3], [5, 4, 6], [8, 7, 9]]
    assert table.matrix("votes_").dtype == np.float64


def test_splits_rows_and_columns():
    table = make_table(frame(), CLASSES, "d")
    assert table.in_split("train", "val").tolist() == [True, True, False]
    assert table.take(table.in_split("test")).frame["sample_id"].tolist() == ["c"]
    assert table.take(np.array([2, 0])).frame["sample_id"].tolist() == ["a", "c"]
    assert table.take(np.array([1])).frame.index.tolist() == [0]
    added = table.with_columns(observed=["angry", "sad", None])
    assert added.codes("observed").tolist() == [2, 1, -1]
    assert "observed" not in table.frame


def test_nothing_overwrites_the_given_labels():
    table = make_table(frame(), CLASSES, "d")
    with pytest.raises(ValueError, match="nothing overwrites the given labels"):
        table.with_columns(given=["sad", "sad", "sad"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample_id": ["a", "a", "b"]}, "sample_id 'a' repeats"),
        ({"sample_id": ["a", None, "b"]}, "a sample_id is missing"),
        ({"split": ["train", "dev", "test"]}, "split must be one of train, val, test, found dev"),
        ({"split": ["train", None, "test"]}, "split must be one of .*, found nothing"),
        ({"given": ["sad", "hapy", "sad"]}, "column 'given' holds 'hapy', which is none of the"),
        ({"observed": ["sad", 3, "sad"]}, "column 'observed' holds 3, which is none of the"),
        ({"true": ["", "sad", "sad"]}, "column 'true' holds '', which is none of the"),
        ({"face_row": ["0", "1", "2"]}, "face_row must be a whole number a row"),
        ({"face_row": [0, None, 2]}, "face_row must be a whole number a row"),
    ],
)
def test_a_wrong_table_is_one_sentence(changes, message):
    with pytest.raises(FercleanError, match=f"label table of d: {message}"):
        make_table(frame(**changes), CLASSES, "d")


@pytest.mark.parametrize("column", ["sample_id", "path", "split"])
def test_a_missing_column_is_named(column):
    with pytest.raises(FercleanError, match=f"label table of d: column '{column}' is missing"):
        make_table(frame().drop(columns=column), CLASSES, "d")


def test_a_table_that_training_made_needs_no_given_labels(tmp_path):
    write_label_table(
        make_table(frame().drop(columns="given"), CLASSES, "d"), tmp_path / "x.parquet"
    )
    assert "given" not in read_label_table(tmp_path / "x.parquet").frame


def test_an_empty_table_is_a_table(tmp_path):
    write_label_table(make_table(frame().iloc[:0], CLASSES, "d"), tmp_path / "x.parquet")
    read = read_label_table(tmp_path / "x.parquet")
    assert len(read) == 0
    assert read.classes == CLASSES
    assert read.codes("given").shape == (0,)


def test_training_sees_no_column_that_is_for_evaluation(tmp_path):
    path = tmp_path / "x.parquet"
    full = frame(
        observed=["sad", "sad", None], face_row=[0, 1, 2], true=["sad", "sad", "sad"],
        votes_sad=[1, 1, 1],
    )  # fmt: skip
    write_label_table(make_table(full, CLASSES, "d"), path)
    read = read_training_table(path)
    assert tuple(read.frame.columns) == TRAINING_COLUMNS
    without = full.drop(columns=["true", "votes_sad"])
    write_label_table(make_table(without, CLASSES, "d"), tmp_path / "y.parquet")
    pd.testing.assert_frame_equal(read_training_table(tmp_path / "y.parquet").frame, read.frame)


def test_training_does_not_see_the_given_labels(tmp_path):
    full = frame(observed=["sad", "sad", None], true=["sad", "sad", "sad"], face_row=[0, 1, 2])
    write_label_table(make_table(full, CLASSES, "d"), tmp_path / "x.parquet")
    read = read_training_table(tmp_path / "x.parquet")
    assert set(read.frame) == {"sample_id", "path", "split", "observed", "face_row"}


def test_a_column_that_is_asked_for_must_be_there(tmp_path):
    write_label_table(make_table(frame(), CLASSES, "d"), tmp_path / "x.parquet")
    with pytest.raises(FercleanError, match=r"x\.parquet: column 'observed' is missing"):
        read_training_table(tmp_path / "x.parquet")


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(FercleanError, match=r"label table not found: .*absent\.parquet"):
        read_label_table(tmp_path / "absent.parquet")
    for content in (b"", b"PAR1", b"text" * 50):
        (tmp_path / "x.parquet").write_bytes(content)
        with pytest.raises(FercleanError, match=r"x\.parquet is not a readable Parquet file"):
            read_label_table(tmp_path / "x.parquet")
    with pytest.raises(FercleanError, match="is not a readable Parquet file"):
        read_label_table(tmp_path)


def test_another_parquet_file_is_no_label_table(tmp_path):
    for metadata in ({}, {b"ferclean.classes": b"a\nb", b"ferclean.dataset": b"d"}):
        table = pa.table({"sample_id": ["a"]}).replace_schema_metadata(metadata)
        pq.write_table(table, tmp_path / "x.parquet")
        with pytest.raises(FercleanError, match="is not a label table: its metadata names no"):
            read_label_table(tmp_path / "x.parquet")


def test_damaged_pages_are_named(tmp_path):
    path = tmp_path / "x.parquet"
    rows = 3000
    ids = [f"{i * 7919 % 10_007}-{i}" for i in range(rows)]
    many = pd.DataFrame({"sample_id": ids, "path": ids, "split": "train", "given": "sad"})
    write_label_table(make_table(many, CLASSES, "d"), path)
    content = bytearray(path.read_bytes())
    content[100:4000] = bytes(byte ^ 0x5A for byte in content[100:4000])
    path.write_bytes(content)
    with pytest.raises(FercleanError, match=r"x\.parquet is damaged"):
        read_label_table(path)


def test_labels_from_codes_is_the_inverse_of_codes():
    codes = np.array([2, -1, 0, 1])
    assert labels_from_codes(codes, CLASSES).tolist()[0] == "angry"
    np.testing.assert_array_equal(labels_from_codes(codes, CLASSES).codes, codes)
    with pytest.raises(ValueError, match="codes need to be between"):
        labels_from_codes(np.array([3]), CLASSES)
