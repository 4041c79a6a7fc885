import re

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


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a/b.PNG", "a/b"), ("face.0001", "face.0001"), ("x", "x"), ("v.2/c.jpeg", "v.2/c")],
)
def test_only_the_ending_of_a_picture_is_cut_off(path, stem):
    assert stem_of(path) == stem
