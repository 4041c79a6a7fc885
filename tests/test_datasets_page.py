"""docs/datasets.md says of each set what its reader knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferclean.datasets.registry import PUBLISHED, READERS, published_facts

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "datasets.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_line_of_a_set_is_what_its_reader_knows(name):
    facts = published_facts(name)
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    rows = ", ".join(f"{split} {count:,}" for split, count in facts.rows.items()) or "-"
    variants = ", ".join(f"`{variant}`" for variant in facts.variants) or "-"
    counted = ", ".join(facts.counts) or "-"
    assert cells[1:6] == [facts.title, str(len(facts.classes) or "any"), rows, counted, variants]
    assert cells[7:] == [facts.origin, facts.terms]


@pytest.mark.parametrize("name", READERS)
def test_every_source_is_named(name):
    assert f"`{name}`" in PAGE
