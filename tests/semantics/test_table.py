from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ferclean.errors import FercleanError
from ferclean.semantics.table import read_word_vectors, word_vector_frame

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays.arrays(np.float64, (3, 4), elements=FINITE))
def test_text_keeps_every_bit(tmp_path_factory, vectors):
    path = tmp_path_factory.mktemp("table") / "word_vectors.csv"
    words = {"null": "nan", "b": "word, with comma", "c": "c"}
    path.write_text(word_vector_frame(words, vectors).to_csv(index=False))
    read = read_word_vectors(path, ("c", "null", "b"))
    assert read.tobytes() == vectors[[2, 0, 1]].tobytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a table"),
        ("word,v0\na,1\n", "one row a class"),
        ("class,word\na,a\n", "one row a class"),
        ("class,word,v0\na,a,1\na,a,2\n", "one row a class"),
        ("class,word,v0\nb,b,1\n", "no vector for the class 'a'"),
        ("class,word,v0\na,a,x\n", "no number"),
        ("class,word,v0\na,a,\n", "no number"),
        ("class,word,v0\na,a,inf\n", "not finite"),
    ],
)
def test_broken_tables_are_named(tmp_path, text, message):
    path = tmp_path / "word_vectors.csv"
    path.write_text(text)
    with pytest.raises(FercleanError, match=message):
        read_word_vectors(path, ("a",))


def test_absent_table_is_named(tmp_path):
    with pytest.raises(FercleanError, match=r"cannot read word vectors .*absent\.csv"):
        read_word_vectors(tmp_path / "absent.csv", ("a",))
