from __future__ import annotations

from typing import get_args, get_type_hints

import numpy as np
import pytest

from ferclean.config.fields import build
from ferclean.config.semantics import SemanticsSettings
from ferclean.errors import FercleanError
from ferclean.semantics.sources import SOURCES, word_vectors

WORDS = {"happy": "happy", "sad": "sad", "neutral": "neutral"}


def _make(words=WORDS, **values):
    return word_vectors(words, build(SemanticsSettings, values, "semantics"))


def test_every_source_of_the_settings_is_registered():
    assert set(get_args(get_type_hints(SemanticsSettings)["source"])) == set(SOURCES)
    for source in SOURCES:
        values = {"source": source, "path": "some/file"}
        assert build(SemanticsSettings, values, "semantics").source == source
    with pytest.raises(FercleanError, match=r"semantics\.source"):
        build(SemanticsSettings, {"source": "typo"}, "semantics")


def test_identity_and_random_ablations():
    np.testing.assert_array_equal(_make(source="identity").vectors, np.eye(3))
    first = _make(source="random", dimensions=5, seed=3).vectors
    assert first.shape == (3, 5)
    assert first.tobytes() == _make(source="random", dimensions=5, seed=3).vectors.tobytes()
    assert (first != _make(source="random", dimensions=5, seed=4).vectors).any()


def test_affect_says_whom_to_cite():
    made = _make()
    assert "Russell" in made.citation
    assert made.vectors.shape == (3, 3)


def test_two_classes_may_share_a_word():
    made = _make({"happy": "happy", "glad": "happy", "sad": "sad"})
    np.testing.assert_allclose(made.vectors[0], made.vectors[1], atol=1e-12)


@pytest.mark.parametrize("source", ["file", "corpus"])
def test_a_source_without_its_file_names_the_key(source):
    with pytest.raises(FercleanError, match=r"semantics\.path is needed"):
        _make(source=source)
