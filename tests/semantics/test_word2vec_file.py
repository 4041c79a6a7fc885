"""Every kind of word-vector file, written by gensim itself, and broken ones."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors, Word2Vec

from ferclean.errors import FercleanError
from ferclean.semantics import word2vec_file
from ferclean.semantics.word2vec_file import file_vectors

VOCABULARY = ["the", "happy", "Happy", "surprise", "größe", "sad", "new_york", "normal"]


@pytest.fixture
def keyed():
    vectors = np.random.default_rng(0).normal(size=(len(VOCABULARY), 6)).astype(np.float32)
    built = KeyedVectors(6)
    built.add_vectors(VOCABULARY, vectors)
    return built


def _save(keyed, path: Path, kind: str) -> Path:
    if kind == "keyed":
        keyed.save(str(path))
    elif kind == "keyed_in_parts":
        keyed.save(str(path), sep_limit=0)
    elif kind == "binary":
        keyed.save_word2vec_format(str(path), binary=True, write_header=True)
    else:
        keyed.save_word2vec_format(str(path), binary=False)
    return path  # gensim compresses by itself when the name ends in .gz


@pytest.mark.parametrize("kind", ["text", "text.gz", "binary", "keyed", "keyed_in_parts"])
def test_rows_of_every_kind_of_file(keyed, tmp_path, kind):
    path = _save(keyed, tmp_path / f"vectors.{kind}", kind)
    vectors = file_vectors(path, {"sad": "sad", "joy": "Happy", "size": "größe", "big": "happy"})
    expected = np.stack([keyed[word] for word in ("sad", "Happy", "größe", "happy")])
    np.testing.assert_array_equal(vectors, expected.astype(np.float64))
    assert vectors.dtype == np.float64


def test_compressed_binary_and_separating_line_breaks(keyed, tmp_path):
    """The published Google News file is compressed; the C tool ends each row with a newline."""
    plain = _save(keyed, tmp_path / "plain.bin", "binary")
    rows = [w.encode() + b" " + keyed[w].astype("<f4").tobytes() + b"\n" for w in VOCABULARY]
    path = tmp_path / "google.bin.gz"
    path.write_bytes(gzip.compress(f"{len(rows)} 6\n".encode() + b"".join(rows)))
    words = {"a": "normal", "b": "surprise"}
    np.testing.assert_array_equal(file_vectors(path, words), file_vectors(plain, words))


@pytest.mark.parametrize("kind", ["text", "binary", "keyed"])
def test_missing_word_names_the_class_and_the_nearest_entries(keyed, tmp_path, kind):
    path = _save(keyed, tmp_path / "vectors", kind)
    with pytest.raises(FercleanError) as error:
        file_vectors(path, {"sad": "sad", "surprised": "surprised"})
    message = str(error.value)
    assert "no vector for 'surprised'; its nearest entries are 'surprise'," in message
    assert message.endswith("for example surprised: surprise")


def test_nearest_entries_are_found_behind_the_listed_words(keyed, tmp_path, monkeypatch):
    monkeypatch.setattr(word2vec_file, "_LISTED_WORDS", 1)
    path = _save(keyed, tmp_path / "vectors.bin", "binary")
    with pytest.raises(FercleanError, match="nearest entries are 'surprise', 'the'"):
        file_vectors(path, {"surprised": "surprised"})


def test_rows_across_block_borders(tmp_path):
    """Rows of 400 kB: none of them lies whole in every 4 MiB block."""
    size, words = 100_000, [f"word{i}" for i in range(24)]
    values = np.random.default_rng(0).normal(size=(24, size)).astype("<f4")
    with (tmp_path / "wide.bin").open("wb") as stream:
        stream.write(f"24 {size}\n".encode())
        for word, row in zip(words, values, strict=True):
            stream.write(word.encode() + b" " + row.tobytes())
    found = file_vectors(tmp_path / "wide.bin", {word: word for word in words})
    np.testing.assert_array_equal(found, values.astype(np.float64))


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("ran_code"),))


@pytest.mark.parametrize("content", [Bomb(), {"index_to_key": Bomb()}, [1, 2]])
def test_a_pickle_cannot_run_code(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "vectors.kv"
    path.write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(FercleanError, match="is not a word2vec or KeyedVectors file"):
        file_vectors(path, {"sad": "sad"})
    assert not (tmp_path / "ran_code").exists()


def test_a_whole_model_is_refused_in_one_sentence(tmp_path):
    model = Word2Vec([["sad", "happy"]] * 5, vector_size=4, min_count=1, workers=1, seed=0)
    model.save(str(tmp_path / "model"))
    with pytest.raises(FercleanError, match=r"it holds gensim\.models\.word2vec\.Word2Vec"):
        file_vectors(tmp_path / "model", {"sad": "sad"})


def test_a_lost_part_is_named(keyed, tmp_path):
    path = _save(keyed, tmp_path / "vectors.kv", "keyed_in_parts")
    (tmp_path / "vectors.kv.vectors.npy").unlink()
    with pytest.raises(FercleanError, match=r"cannot read .*vectors\.kv\.vectors\.npy"):
        file_vectors(path, {"sad": "sad"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "first line must hold"),
        (b"sad 0.1 0.2\nhappy 0.3 0.4\n", "first line must hold"),
        (b"2 0\nsad\nhappy\n", "0 dimensions are not possible"),
        (b"2 99999999999\nsad 1\n", "99999999999 dimensions are not possible"),
        (b"2 2\nhappy 0.1 0.2\n", "row 2 of 2 does not hold"),
        (b"2 2\nhappy 0.1 0.2\nsad 0.1 oops\n", "holds something that is no number"),
        (b"1 2\nsad nan 1.0\n", "zero or not finite"),
        (b"1 2\nsad 0 0\n", "zero or not finite"),
        (b"2 2\nxx \x00\x00\x80\x3f\x00\x00", "ends after 0 of 2 rows"),
        (b"2 2\n" + b"x" * 9000, "does not begin with a word"),
        (b"\x80\x04garbage", "its pickle is broken|is not a word2vec"),
        (gzip.compress(b"1 2\nsad 0.1 0.2\n", mtime=0)[:-12], "cannot read"),
        (b"\x1f\x8bnot gzip at all", "cannot read"),
    ],
)
def test_broken_files_are_named(tmp_path, content, message):
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(FercleanError, match=message) as error:
        file_vectors(path, {"sad": "sad"})
    assert str(path) in str(error.value)


def test_absent_file_is_named(tmp_path):
    with pytest.raises(FercleanError, match=r"semantics\.path: cannot read .*absent"):
        file_vectors(tmp_path / "absent", {"sad": "sad"})


@pytest.mark.shared_data
def test_google_news_lacks_three_class_words(shared_data_dir):
    path = shared_data_dir / "text" / "googlenews_54_words.w2v.txt"
    for word in ("surprised", "disgusted", "neutral"):
        with pytest.raises(FercleanError, match=f"no vector for '{word}'; its nearest entries are"):
            file_vectors(path, {word: word})
    words = {"surprised": "surprise", "happy": "happy"}
    expected = KeyedVectors.load_word2vec_format(str(path))
    np.testing.assert_allclose(
        file_vectors(path, words), [expected["surprise"], expected["happy"]], rtol=0
    )
