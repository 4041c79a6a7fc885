import re
from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.export.names import distinct_names, safe_name, stem_of


@given(st.lists(st.text(max_size=130), max_size=12))
def test_names_are_safe_and_differ_whatever_the_text(texts):
    names = distinct_names(texts)
    assert len(names) == len(texts) == len({name.lower() for name in names})
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name) and len(name) <= 110
        assert not name.endswith(".")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("happy/1.png", "happy_1.png"),
        ("../../etc/passwd", "etc_passwd"),
        ("Käthe Straße", "Kathe_Strae"),
        ("..", "_"),
        ("", "_"),
        ("con", "_con"),
        ("NUL.png", "_NUL.png"),
        ("笑", "_"),
    ],
)
def test_some_names(text, name):
    assert safe_name(text) == name


def test_equal_names_are_numbered_also_by_case_and_numbers_do_not_collide():
    assert distinct_names(["a/b", "a_b", "A_B", "a_b-2"]) == ["a_b", "a_b-2", "A_B-3", "a_b-2-2"]


def numbered_one_by_one(texts):
    names = []
    for text in texts:
        first, taken = safe_name(text), {name.lower() for name in names}
        more = (f"{first}-{number}" for number in count(2))
        names.append(next(name for name in chain([first], more) if name.lower() not in taken))
    return names


@given(st.lists(st.sampled_from(["a", "A", "a-2", "a_2", "a-3", "A-2-2", "a/", "a-2-2", "b"])))
def test_numbers_are_the_lowest_that_are_free(texts):
    assert distinct_names(texts) == numbered_one_by_one(texts)


@pytest.mark.timeout(20)  # seconds; looking for each number from 2 on took a minute
def test_many_equal_names_are_numbered_at_once():
    names = distinct_names(["face"] * 30_000)
    assert names[:3] == ["face", "face-2", "face-3"] and names[-1] == "face-30000"


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a/b.PNG", "a/b"), ("face.0001", "face.0001"), ("x", "x"), ("v.2/c.jpeg", "v.2/c")],
)
def test_only_the_ending_of_a_picture_is_cut_off(path, stem):
    assert stem_of(path) == stem
