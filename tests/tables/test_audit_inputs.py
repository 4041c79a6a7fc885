import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.tables.audit_inputs import read_given_labels, read_probabilities

NAMES = ["sad", "happy", "None", "03"]


def written(tmp_path, suffix, frame):
    path = tmp_path / f"table{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_labels_come_back_as_they_stand_in_any_table(tmp_path, suffix):
    frame = pd.DataFrame({"sample_id": list("abcd"), "label": NAMES, "other": 1})
    found = read_given_labels(written(tmp_path, suffix, frame))
    assert found.labels.tolist() == NAMES and found.sample_id.tolist() == list("abcd")
    alone = read_given_labels(written(tmp_path, suffix, frame[["label"]].rename(columns=str.upper)))
    assert alone.labels.tolist() == NAMES and alone.sample_id is None
    other = read_given_labels(written(tmp_path, suffix, frame), "other")
    assert other.labels.tolist() == ["1"] * 4


def test_a_byte_order_mark_line_ends_quotes_and_spaces_do_no_harm(tmp_path):
    path = tmp_path / "l.csv"
    path.write_bytes('\ufeffsample_id, label\r\n"a,1", sad\r\nb,"happy "\r\n'.encode())
    found = read_given_labels(path)
    assert found.labels.tolist() == ["sad", "happy"] and found.sample_id.tolist() == ["a,1", "b"]


@pytest.mark.parametrize("values", [np.array([2, 0], np.uint8), np.array(["x", "y"])])
def test_labels_from_npy(tmp_path, values):
    np.save(tmp_path / "l.npy", values)
    assert read_given_labels(tmp_path / "l.npy").labels.tolist() == [str(v) for v in values]


def test_whole_floats_of_parquet_are_numbers(tmp_path):
    frame = pd.DataFrame({"label": [1.0, 0.0]})
    assert read_given_labels(written(tmp_path, ".parquet", frame)).labels.tolist() == ["1", "0"]
    with pytest.raises(FercleanError, match="fractions"):
        read_given_labels(written(tmp_path, ".parquet", frame + 0.5))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_probabilities_of_named_columns(tmp_path, suffix):
    frame = pd.DataFrame(
        {"p_sad": [0.25, 1.0], "sample_id": ["a", "b"], "p_x y": [0.75, 0.0], "note": ["n", "m"]}
    )
    found = read_probabilities(written(tmp_path, suffix, frame))
    assert found.classes == ("sad", "x y") and found.sample_id.tolist() == ["a", "b"]
    np.testing.assert_array_equal(found.members, np.float32([[[0.25, 0.75], [1.0, 0.0]]]))
    plain = read_probabilities(
        written(tmp_path, suffix, frame[["p_sad"]].rename(columns={"p_sad": "0"}))
    )
    assert plain.classes == ("0",) and plain.sample_id is None


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3)])
def test_probabilities_from_npy(tmp_path, shape):
    values = np.random.default_rng(0).random(shape)
    np.save(tmp_path / "p.npy", values)
    found = read_probabilities(tmp_path / "p.npy")
    assert found.members.dtype == np.float32 and found.classes is None
    np.testing.assert_allclose(found.members, values.reshape(-1, 4, 3), rtol=1e-6)


def npy(value):
    stream = io.BytesIO()
    np.save(stream, value, allow_pickle=True)
    return stream.getvalue()


def archive():
    stream = io.BytesIO()
    np.savez(stream, a=np.zeros(2), b=np.zeros(2))
    return stream.getvalue()


HOSTILE = {
    "pickle.npy": npy(np.array([{}], dtype=object)),
    "archive.npy": archive(),
    "empty.npy": b"",
    "text.npy": b"label\nsad\n",
    "cut.npy": npy(np.arange(100))[:150],
    "floats.npy": npy(np.array([0.5, 1.0])),
    "matrix.npy": npy(np.zeros((2, 2), int)),
    "empty.csv": b"",
    "zip.csv": b"PK\x03\x04" + bytes(range(256)),
    "latin.csv": "label\nfr\xf6hlich\n".encode("latin-1"),
    "ragged.csv": b"label,b\n1,2\n1,2,3,4\n",
    "twice.csv": b"label,label\nsad,sad\n",
    "hole.csv": b"sample_id,label\na,sad\nb,\n",
    "blank.csv": b"sample_id,label\na,  \n",
    "again.csv": b"sample_id,label\na,sad\na,sad\n",
    "columns.csv": b"x,y\n1,2\n",
    "parquet.parquet": b"PAR1nothing at allPAR1",
    "labels.txt": b"sad\n",
    "labels": b"sad\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_file_of_labels_ends_in_one_sentence_that_names_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    with pytest.raises(FercleanError, match=name) as caught:
        read_given_labels(path)
    assert "\n" not in str(caught.value).strip()


BAD_PROBABILITIES = {
    "vector.npy": npy(np.zeros(3)),
    "text.npy": npy(np.array([["a", "b"]])),
    "pickle.npy": npy(np.array([[None, 1]], dtype=object)),
    "word.csv": b"p_a,p_b\n0.5,half\n",
    "hole.csv": b"p_a,p_b\n0.5,\n",
    "again.csv": b"sample_id,p_a,p_b\nx,0.5,0.5\nx,0.5,0.5\n",
}


@pytest.mark.parametrize("name", BAD_PROBABILITIES)
def test_a_bad_file_of_probabilities_ends_in_one_sentence_that_names_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BAD_PROBABILITIES[name])
    with pytest.raises(FercleanError, match=name):
        read_probabilities(path)


@pytest.mark.parametrize(
    ("read", "name", "content"),
    [
        (read_given_labels, "l.csv", b"label\n"),
        (read_given_labels, "l.csv", b"sample_id,mood\n"),
        (read_given_labels, "l.npy", npy(np.zeros(0, dtype=np.int64))),
        (read_probabilities, "p.csv", b"p_a,p_b\n"),
        (read_probabilities, "p.npy", npy(np.zeros((0, 3)))),
        (read_probabilities, "p.npy", npy(np.zeros((2, 0, 3)))),
    ],
)
def test_a_file_without_rows_is_refused(tmp_path, read, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FercleanError, match=rf"{re.escape(name)} has no rows: write one for each"):
        read(tmp_path / name)


def test_files_that_are_not_there(tmp_path):
    for name in ("l.csv", "l.npy", "l.parquet"):
        with pytest.raises(FercleanError, match=name):
            read_given_labels(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "z.npy", "w") as bundle:
        bundle.writestr("x", "y")
    with pytest.raises(FercleanError, match=r"z\.npy"):
        read_probabilities(tmp_path / "z.npy")


def text(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_text(content)
    return path


def test_a_table_without_a_header_line_is_refused(tmp_path):
    with pytest.raises(FercleanError, match=r"no header line: its first line 'sad' .*'label'"):
        read_given_labels(text(tmp_path, "sad\nhappy\nsad\n"))
    with pytest.raises(FercleanError, match=r"no header line.* above the columns"):
        read_probabilities(text(tmp_path, "0.25,0.75\n0.5,0.5\n"))
    assert read_probabilities(text(tmp_path, "0,1\n0.5,0.5\n")).classes == ("0", "1")
    assert read_given_labels(text(tmp_path, "mood\nhappy\nsad\n")).labels.tolist() == [
        "happy", "sad",
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["label\na\n\nb\n", "label\na\n  \nb\n\n", '\nlabel\na\n""\nb'])
def test_a_blank_line_among_labels_is_a_missing_label(tmp_path, content):
    with pytest.raises(FercleanError, match="row 2 has no label"):
        read_given_labels(text(tmp_path, content))


def test_blank_lines_around_labels_and_between_wider_rows_are_passed_over(tmp_path):
    assert read_given_labels(text(tmp_path, "\n\nlabel\na\nb\n\n\n")).labels.tolist() == ["a", "b"]
    wide = read_given_labels(text(tmp_path, "label,x\na,1\n\nb,2\n"))
    assert wide.labels.tolist() == ["a", "b"]
    with pytest.raises(FercleanError):
        read_given_labels(text(tmp_path, "\n\n\n"))


def test_suffixes_may_be_capitals(tmp_path):
    assert len(read_given_labels(text(tmp_path, "label\na\n", "T.CSV")).labels) == 1
    assert read_given_labels(text(tmp_path, "label\tx\na\t1\n", "T.TSV")).labels.tolist() == ["a"]


def test_a_column_that_is_named_and_not_there_is_refused(tmp_path):
    path = text(tmp_path, "emotion\nsad\nhappy\n")
    assert read_given_labels(path).labels.tolist() == ["sad", "happy"]
    with pytest.raises(FercleanError, match=r"no column 'emotoin' but 'emotion'; .*--label-column"):
        read_given_labels(path, "emotoin")
