"""docs/methods.md agrees with the registry, the settings and the presets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ferclean.config.methods import METHOD_NAMES
from ferclean.config.presets import preset_names
from ferclean.config.reference import keys_of
from ferclean.config.sections import SECTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
DEFAULTS = {key.name: key.default for name, cls in SECTIONS.items() for key in keys_of(cls, name)}
PARENTS = {name.rsplit(".", depth)[0] for name in DEFAULTS for depth in (1, 2)}


def section(name: str) -> str:
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_every_method_has_its_section_and_its_row(name):
    assert HEADINGS.count(name) == 1
    row = re.search(rf"^\| \[`{name}`\]\(#{name}\) \|.*$", PAGE, re.MULTILINE)
    assert row is not None
    assert len(re.findall(r"(?<!\\)\|", row.group())) == 9  # eight cells


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_a_section_names_every_key_of_its_method(name):
    own = {key for key in DEFAULTS if key.startswith(f"methods.{name}.")}
    assert own <= set(re.findall(r"`(methods\.[\w.]+)`", section(name)))


def test_every_key_that_is_mentioned_exists():
    pattern = rf"`((?:{'|'.join(SECTIONS)})\.[a-z_][\w.]*)`"
    mentioned = set(re.findall(pattern, PAGE))
    assert len(mentioned) > 80
    assert sorted(mentioned - set(DEFAULTS) - PARENTS) == []


def test_every_default_that_is_mentioned_is_that_of_the_code():
    mentioned = re.findall(r"`(methods\.[\w.]+)`\s+\(`([^`]+)`\)", PAGE)
    assert {name for name, _ in mentioned} == {name for name in DEFAULTS if "methods." in name[:8]}
    wrong = [(name, said) for name, said in mentioned if yaml.safe_load(said) != DEFAULTS[name]]
    assert wrong == []


def test_presets_stand_in_their_methods_sections():
    for preset in preset_names():
        starts = [name for name in METHOD_NAMES if preset.startswith(f"{name}_")]
        home = max(starts, key=len) if starts else {"fer": "smr", "audit": "ferclean"}[preset]
        assert f"`{preset}`" in section(home), preset


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_the_readme_names_every_method(name):
    table = (
        (ROOT / "README.md").read_text(encoding="utf-8").split("## Methods")[1].split("\n## ")[0]
    )
    assert f"`{name}`" in table


@pytest.mark.parametrize("page", ["README.md", "docs/methods.md"])
def test_anchors_lead_to_sections(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    anchors = re.findall(r"\]\((?:docs/methods\.md)?#([\w-]+)\)", text)
    assert anchors and set(anchors) <= set(HEADINGS)
