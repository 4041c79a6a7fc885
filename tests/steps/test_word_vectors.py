from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from gensim.models import KeyedVectors
from PIL import Image

from ferclean.config.data import CANONICAL_CLASSES
from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.semantics.table import read_word_vectors
from ferclean.steps.word_vectors import word_vectors
from ferclean.tables.atomic import read_json

FILES = ("word_vectors.csv", "similarity.csv", "similarity.png", "summary.json")


def _run(output, *, classes=CANONICAL_CLASSES, **semantics):
    raw = {"data": {"classes": list(classes)}, "semantics": semantics}
    word_vectors(output=output, settings=build_settings(raw, ["data", "semantics"]))
    return read_json(output / "summary.json")


def _corpus(folder):
    path = folder / "corpus.txt"
    path.write_text("happy face smiles\nsad face weeps\nneutral face rests\n" * 30)
    return {"source": "corpus", "path": str(path), "dimensions": 4, "epochs": 2}


def test_default_source_writes_all_files(tmp_path):
    summary = _run(tmp_path)
    assert summary["source"] == "affect"
    assert summary["nearest"]["surprised"] == "happy"
    assert summary["nearest"]["disgusted"] == "angry"
    assert "doi:10.1016/0092-6566(77)90037-X" in summary["citation"]
    vectors = read_word_vectors(tmp_path / "word_vectors.csv", CANONICAL_CLASSES)
    similarity = pd.read_csv(tmp_path / "similarity.csv", index_col="class")
    assert tuple(similarity.index) == tuple(similarity.columns) == CANONICAL_CLASSES
    np.testing.assert_allclose(vectors @ vectors.T, similarity.to_numpy(), atol=1e-12)
    with Image.open(tmp_path / "similarity.png") as picture:
        assert picture.format == "PNG"


@pytest.mark.slow
@pytest.mark.parametrize("source", ["affect", "random", "identity", "corpus"])
def test_same_bytes_each_time(tmp_path, source):
    classes = ("happy", "sad", "neutral")
    semantics = _corpus(tmp_path) if source == "corpus" else {"source": source}
    for run in ("one", "two"):
        _run(tmp_path / run, classes=classes, **semantics)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_corpus_counts_are_reported(tmp_path):
    summary = _run(tmp_path / "out", classes=("happy", "sad"), **_corpus(tmp_path))
    assert summary["occurrences"] == {"happy": 30, "sad": 30}


def test_words_map_classes_to_a_file(tmp_path):
    keyed = KeyedVectors(3)
    keyed.add_vectors(["surprise", "sad"], np.array([[1, 2, 3], [0, 1, 0]], dtype=np.float32))
    path = tmp_path / "vectors.txt"
    keyed.save_word2vec_format(str(path))
    options = {"classes": ("surprised", "sad"), "source": "file", "path": str(path)}
    with pytest.raises(FercleanError, match="for example surprised: surprise"):
        _run(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
    summary = _run(tmp_path / "out", words={"surprised": "surprise"}, **options)
    assert summary["words"] == {"surprised": "surprise", "sad": "sad"}
    vectors = read_word_vectors(tmp_path / "out" / "word_vectors.csv", ("surprised", "sad"))
    assert vectors.tolist() == [[1, 2, 3], [0, 1, 0]]
