from __future__ import annotations

import pandas as pd
import pytest

from ferclean.config.data import CANONICAL_CLASSES
from ferclean.datasets.base import first_reason, resolve_labels, resolve_splits
from ferclean.datasets.classes import FER2013_ORDER, label_lookup


def test_fer2013_numbers_are_the_published_ones():
    assert dict(enumerate(FER2013_ORDER)) == {
        0: "angry", 1: "disgusted", 2: "fear", 3: "happy", 4: "sad", 5: "surprised", 6: "neutral",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "name"),
    [("anger", "angry"), ("disgust", "disgusted"), ("happiness", "happy"), ("sadness", "sad"),
     ("surprise", "surprised"), ("fearful", "fear"), ("scared", "fear"), ("neutral", "neutral")],
)  # fmt: skip
def test_common_words_reach_the_canonical_classes(word, name):
    assert label_lookup(CANONICAL_CLASSES)[word] == name


def test_words_follow_the_names_that_the_settings_chose():
    lookup = label_lookup(("Anger", "happiness", "smirk"))
    assert lookup["angry"] == lookup["anger"] == "Anger"
    assert lookup["happy"] == "happiness"
    assert lookup["smirk"] == "smirk"
    assert "sad" not in lookup and "contempt" not in lookup


def test_two_classes_of_one_meaning_keep_their_own_words():
    lookup = label_lookup(("joy", "happy", "sad"))
    assert lookup["joy"] == "joy" and lookup["happy"] == "happy" and "happiness" not in lookup


def test_labels_are_found_in_any_case_and_others_get_a_reason():
    names = pd.Series([" Anger ", "HAPPY", "bored", None, "", float("nan"), 3], dtype=object)
    labels, reasons = resolve_labels(names, label_lookup(CANONICAL_CLASSES))
    assert labels.tolist() == ["angry", "happy", None, None, None, None, None]
    assert reasons.tolist() == [
        None, None, "unknown label: 'bored'", *["missing label"] * 3, "unknown label: '3'",
    ]  # fmt: skip


def test_splits_are_translated():
    splits, reasons = resolve_splits(pd.Series(["Train", "validation", "TEST", "dev", None]))
    assert splits.tolist() == ["train", "val", "test", None, None]
    assert reasons.tolist()[3:] == ["unknown split: 'dev'", "missing split"]


def test_the_first_reason_wins():
    one = pd.Series(["a", None, None], dtype=object)
    two = pd.Series(["b", "b", None], dtype=object)
    assert first_reason(one, two).tolist() == ["a", "b", None]
