"""Typed settings from untyped values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.config.fields import build, check_range, convert, setting
from ferclean.errors import FercleanError


@dataclass(frozen=True)
class Inner:
    depth: int = setting(1, "Depth.", minimum=0)


@dataclass(frozen=True)
class Example:
    number: float = setting(0.5, "Number.", above=0, maximum=1)
    count: int = setting(3, "Count.", minimum=1, maximum=9)
    name: str = setting("a", "Name.")
    flag: bool = setting(False, "Flag.")
    choice: Literal["red", "green"] = setting("red", "Choice.")
    path: str | None = setting(None, "Path.")
    many: tuple[float, ...] = setting((0.1,), "Many.", minimum=0, maximum=1)
    pairs: dict[str, str] = setting({}, "Pairs.")
    either: str | dict[str, str] = setting("x", "Either.")
    weight: float | Literal["auto"] = setting("auto", "Weight.", minimum=0)
    inner: Inner = setting(Inner(), "Inner.")

    def check(self, where: str) -> None:
        """Two keys that do not go together."""
        if self.flag and self.path is None:
            raise FercleanError(f"{where}.path is needed when {where}.flag is true")


def message(values: Any) -> str:
    with pytest.raises(FercleanError) as caught:
        build(Example, values, "example")
    return str(caught.value)


def test_nothing_given_is_the_defaults():
    assert build(Example, None, "example") == build(Example, {}, "example") == Example()


@dataclass(frozen=True)
class Pair:
    depth: int = setting(1, "Depth.", minimum=0)
    width: int = setting(2, "Width.")


@dataclass(frozen=True)
class Outer:
    pair: Pair = setting(Pair(depth=7), "A default that is not that of its class.")


@dataclass(frozen=True)
class Outermost:
    outer: Outer = setting(Outer(pair=Pair(depth=8, width=9)), "The same, one level deeper.")


def test_a_nested_key_keeps_the_others_at_the_default_of_their_place():
    assert build(Outer, {"pair": {"width": 5}}, "outer") == Outer(Pair(depth=7, width=5))
    assert build(Outer, {"pair": {}}, "outer") == build(Outer, {"pair": None}, "outer") == Outer()
    deep = build(Outermost, {"outer": {"pair": {"width": 5}}}, "outermost")
    assert deep == Outermost(Outer(Pair(depth=8, width=5)))
    assert build(Pair, {"width": 5}, "pair") == Pair(depth=1, width=5)


def test_every_kind_of_value_is_taken():
    built = build(
        Example,
        {
            "number": 1, "count": 9, "name": "b", "flag": True, "choice": "green", "path": "p",
            "many": [0, 1, 0.5], "pairs": {"a": "b"}, "either": {"c": "d"}, "weight": 2,
            "inner": {"depth": 0},
        },
        "example",
    )  # fmt: skip
    expected = Example(
        1.0, 9, "b", True, "green", "p", (0.0, 1.0, 0.5), {"a": "b"}, {"c": "d"}, 2.0, Inner(0)
    )
    assert built == expected
    assert isinstance(built.number, float)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"nmae": "b"}, ("key in example", "'nmae'", "did you mean 'name'?")),
        ({"inner": {"dpth": 1}}, ("key in example.inner", "did you mean 'depth'?")),
        ({7: 1}, ("key in example", "7")),
        ({"number": "half"}, ("example.number", "a finite number", "'half'")),
        ({"number": True}, ("example.number", "a finite number", "True")),
        ({"number": None}, ("example.number", "a finite number", "None")),
        ({"number": 0}, ("example.number", "above 0")),
        ({"number": 1.5}, ("example.number", "at most 1")),
        ({"count": 2.0}, ("example.count", "an integer", "2.0")),
        ({"count": True}, ("example.count", "an integer", "True")),
        ({"count": 0}, ("example.count", "at least 1")),
        ({"count": 10}, ("example.count", "at most 9")),
        ({"name": 5}, ("example.name", "a text", "5")),
        ({"flag": "yes"}, ("example.flag", "true or false", "'yes'")),
        ({"flag": 1}, ("example.flag", "true or false", "1")),
        ({"choice": "gren"}, ("example.choice", "'gren'", "did you mean 'green'?")),
        ({"choice": ["red"]}, ("example.choice", "red, green")),
        ({"path": 5}, ("example.path", "a text")),
        ({"many": [0.1, "x"]}, ("example.many[1]", "a finite number")),
        ({"many": [0.1, 2]}, ("example.many", "at most 1")),
        ({"many": {"a": 1}}, ("example.many[0]", "a finite number")),
        ({"pairs": ["a"]}, ("example.pairs", "a mapping")),
        ({"pairs": {"a": 1}}, ("example.pairs.a", "a text")),
        ({"either": 3}, ("example.either", "3")),
        ({"weight": "auot"}, ("example.weight", "a finite number or auto", "'auot'")),
        ({"weight": True}, ("example.weight", "a finite number or auto", "True")),
        ({"weight": None}, ("example.weight", "a finite number or auto", "None")),
        ({"weight": -1}, ("example.weight", "at least 0")),
        ({"inner": 3}, ("example.inner", "a mapping", "3")),
        ({"flag": True}, ("example.path is needed when example.flag is true",)),
        ([1], ("example must be a mapping",)),
    ],
)
def test_a_wrong_value_is_named(values, parts):
    found = message(values)
    assert all(part in found for part in parts), found


@pytest.mark.parametrize("value", ["auto", 0.0, "1e1"])
def test_a_number_or_a_name(value):
    built = build(Example, {"weight": value}, "example")
    assert built.weight == (value if value == "auto" else float(value))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, "nan", "1e999"])
def test_numbers_that_are_no_numbers_are_refused(value):
    with pytest.raises(FercleanError, match="x must be a finite number"):
        convert(value, float, "x")


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 1e-3), ("3E+2", 300.0), ("-2.5e1", -25.0), ("1.e2", 100.0)]
)
def test_exponents_that_yaml_takes_for_text_are_numbers(text, value):
    assert convert(text, float, "x") == value


def test_a_single_value_stands_for_a_list_of_one():
    assert convert(0, tuple[float, ...], "x") == (0.0,)
    assert convert("smr", tuple[str, ...], "x") == ("smr",)


def test_defaults_that_can_change_are_not_shared():
    Example().pairs["a"] = "b"
    assert Example().pairs == {}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_floats_pass_unchanged(value):
    assert convert(value, float, "x") == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=5) | st.sampled_from(["number", "inner"]), inner)
        ),
        max_leaves=8,
    )
)
def test_any_value_is_taken_or_refused_with_a_sentence(value):
    try:
        built = build(Example, value, "example")
    except FercleanError as error:
        assert str(error)
    else:
        assert isinstance(built, Example)


@pytest.mark.parametrize("ends", [(0.1, 0.2), (0.0, 1.0), (0.5, 0.5)])
def test_a_range_has_two_ordered_ends(ends):
    check_range(ends, "a.range")


@pytest.mark.parametrize("ends", [(), (0.1,), (0.2, 0.1), (0.1, 0.2, 0.3)])
def test_what_is_no_range_is_named(ends):
    found = re.escape(str(list(ends)))
    message = rf"^a\.range must be \[smallest, largest\], found {found}$"
    with pytest.raises(FercleanError, match=message):
        check_range(ends, "a.range")
