"""params.yaml and docs/params.md follow the settings dataclasses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ferclean.config.load import build_settings, load_raw
from ferclean.config.presets import load_preset, merge, preset_names, preset_note
from ferclean.config.reference import (
    Key,
    accepted,
    choices,
    defaults,
    keys_of,
    methods_shown,
    params_text,
    plain,
    reference_text,
)
from ferclean.config.sections import SECTIONS
from ferclean.config.steps import STEP_SECTIONS

ROOT = Path(__file__).resolve().parents[2]
ALL_KEYS = [key for section, cls in SECTIONS.items() for key in keys_of(cls, section)]


def leaf_names(values: dict, where: str = "") -> set[str]:
    found = set()
    for key, value in values.items():
        name = f"{where}.{key}" if where else key
        found |= leaf_names(value, name) if isinstance(value, dict) and value else {name}
    return found


def test_params_yaml_holds_exactly_the_keys_of_the_schema():
    raw, _ = load_raw(ROOT / "params.yaml")
    complete = load_preset("fer")
    assert leaf_names(raw) == leaf_names({**complete, "methods": methods_shown(complete)})


def test_params_yaml_spells_out_the_methods_of_its_grid_and_those_that_were_changed():
    values = merge(defaults(), {"grid": {"methods": ["smr"]}})
    names = set(methods_shown(values))
    assert names == {"smr", "cross_entropy", "oracle_clean"}
    only_control = merge(values, {"grid": {"methods": ["cross_entropy"]}})
    assert "smr" not in methods_shown(only_control)
    assert "smr" in methods_shown(merge(only_control, {"methods": {"smr": {"alpha": 1.0}}}))


def test_params_yaml_is_the_preset_fer():
    # Its only differences from the defaults stand, with their reason, in presets/fer.yaml.
    raw, _ = load_raw(ROOT / "params.yaml")
    ours, preset = build_settings(raw), build_settings(load_preset("fer"))
    for section in SECTIONS:
        assert getattr(ours, section) == getattr(preset, section), section


def test_docs_are_current():
    written = (ROOT / "docs" / "params.md").read_text(encoding="utf-8")
    current = reference_text({name: preset_note(name) for name in preset_names()})
    assert written == current, "run: ferclean params --reference --out docs/params.md"


def test_docs_name_every_key_once():
    text = reference_text({})
    for section in SECTIONS:
        block = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
        for key in keys_of(SECTIONS[section], section):
            name = key.name.removeprefix(f"{section}.")
            assert block.count(f"\n| `{name}` |") == 1, key.name


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_every_key_explains_itself(key):
    assert key.metadata["help"].endswith(".")
    assert len(key.metadata["help"]) > 4
    assert accepted(key)


def test_the_default_of_a_key_is_that_of_its_place():
    # Two keys may share a class and not its defaults: augment and strong_augment do.
    def value(key):
        found = defaults()
        for part in key.name.split("."):
            found = found[part]
        return found

    assert [key.name for key in ALL_KEYS if key.default != value(key)] == []
    shown = {key.name: key.default for key in ALL_KEYS}
    assert shown["training.strong_augment.erase"] == 0.5
    assert shown["training.augment.erase"] == 0.0


def test_every_section_is_read_by_a_step_or_by_the_rules():
    read = {section for sections in STEP_SECTIONS.values() for section in sections}
    assert set(SECTIONS) - read == {"grid"}
    assert read <= set(SECTIONS)


@pytest.mark.parametrize("name", preset_names())
def test_written_settings_read_back_the_same(name):
    values = load_preset(name)
    text = params_text(values, "A heading\n\nof three lines")
    assert yaml.safe_load(text) == {**values, "methods": methods_shown(values)}
    assert text.startswith("# A heading\n#\n# of three lines\n")
    assert max(map(len, text.splitlines())) <= 104


@pytest.mark.slow
@given(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=150),
    st.dictionaries(st.text(max_size=8), st.text(max_size=60), max_size=4),
    st.lists(st.text(min_size=1, max_size=30), min_size=2, max_size=30, unique=True),
)
def test_any_text_survives_writing(title, words, classes):
    changed = {
        "report": {"title": title},
        "semantics": {"words": words},
        "data": {"classes": classes},
    }
    values = merge(defaults(), changed)
    values["semantics"]["words"] = words
    written = yaml.safe_load(params_text(values))
    assert written == {**values, "methods": methods_shown(values)}


def test_plain_values_hold_no_tuples_or_dataclasses():
    def walk(value):
        assert not isinstance(value, tuple)
        assert not dataclasses.is_dataclass(value)
        for inner in value.values() if isinstance(value, dict) else []:
            walk(inner)

    walk(defaults())
    assert plain((1, (2, 3))) == [1, [2, 3]]


def test_accepted_says_type_and_bounds():
    nothing = {"minimum": None, "maximum": None, "above": None}
    assert accepted(Key("x", float, 1.0, nothing | {"above": 0, "maximum": 1})) == (
        "number, above 0, at most 1"
    )
    assert accepted(Key("x", tuple[int, ...], [], nothing | {"minimum": 0})) == (
        "one or a list of: integer, at least 0"
    )
    assert accepted(Key("x", str | None, None, nothing)) == "text or `null`"


def test_a_number_or_a_name_is_both_in_the_reference_and_no_closed_list():
    annotation = float | Literal["auto"]
    key = Key("x", annotation, 0.0, {"minimum": 0, "above": None, "maximum": None})
    assert accepted(key) == "number or `auto`, at least 0"
    assert choices(annotation) == []
    assert choices(Literal["a", "b"]) == choices(Literal["a", "b"] | None) == ["a", "b"]
