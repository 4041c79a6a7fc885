from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from ferclean.errors import FercleanError
from ferclean.semantics.corpus import TokenLines, corpus_vectors

WORDS = {"happy": "happy", "sad": "sad"}
OPTIONS = {"dimensions": 8, "epochs": 3, "seed": 0}


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    vocabulary = [
        "happy",
        "sad",
        "surprised",
        "the",
        "a",
        "face",
        "eyes",
        "mouth",
        "smiles",
        "weeps",
    ]
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(" ".join(rng.choice(vocabulary, 12)) for _ in range(200)))
    return path


def test_training_twice_gives_the_same_bits(corpus):
    first, counts = corpus_vectors(corpus, WORDS, **OPTIONS)
    second, _ = corpus_vectors(corpus, WORDS, **OPTIONS)
    assert first.tobytes() == second.tobytes()
    assert first.shape == (2, 8)
    assert first.dtype == np.float64
    assert counts == {name: corpus.read_text().split().count(name) for name in WORDS}
    other, _ = corpus_vectors(corpus, WORDS, **(OPTIONS | {"seed": 1}))
    assert (first != other).any()


@pytest.mark.slow
def test_another_process_with_another_hash_seed_gives_the_same_bits(corpus):
    program = (
        "import sys; from ferclean.semantics.corpus import corpus_vectors;"
        f"v, _ = corpus_vectors(sys.argv[1], {WORDS!r}, **{OPTIONS!r});"
        "sys.stdout.write(v.tobytes().hex())"
    )
    changes = {"PYTHONHASHSEED": "77", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(corpus)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | changes,
    )
    vectors, _ = corpus_vectors(corpus, WORDS, **OPTIONS)
    assert done.stdout == vectors.tobytes().hex()


def test_lines_are_lower_case_words_that_gensim_does_not_cut(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"Happy, HAPPY faces!\n\n" + b"sad " * 10_001 + b"\ncaf\xe9 face\n")
    lines = list(TokenLines(path))
    assert lines[0] == ["happy", "happy", "faces"]
    assert [len(line) for line in lines[1:3]] == [10_000, 1]
    assert lines[-1][-1] == "face"


def test_missing_word_and_files(corpus, tmp_path):
    with pytest.raises(FercleanError, match=r"no vector for 'surprise'; .* 'surprised'"):
        corpus_vectors(corpus, {"surprised": "surprise"}, **OPTIONS)
    with pytest.raises(FercleanError, match=r"semantics\.path: cannot read .*absent"):
        corpus_vectors(tmp_path / "absent", WORDS, **OPTIONS)
    (tmp_path / "empty").write_text("")
    with pytest.raises(FercleanError, match="no vector for 'happy'; name another word"):
        corpus_vectors(tmp_path / "empty", WORDS, **OPTIONS)


@pytest.mark.slow
@pytest.mark.shared_data
def test_go_emotions_holds_all_class_words(shared_data_dir):
    words = ["surprised", "fear", "disgusted", "happy", "sad", "angry", "neutral"]
    path = shared_data_dir / "text" / "goemotions_train.txt"
    options = {"dimensions": 16, "epochs": 1, "seed": 0}
    vectors, counts = corpus_vectors(path, {word: word for word in words}, **options)
    assert np.isfinite(vectors).all()
    assert (counts["disgusted"], counts["neutral"]) == (6, 4)
