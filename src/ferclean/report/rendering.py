"""Load the pages' templates, with the filters that write numbers."""

from __future__ import annotations

import math
from typing import Any

from ferclean.report.notices import AI_ACT
from ferclean.report.run_section import role_of, slug


def load_template(name: str) -> Any:
    """Return a template of this package, HTML or Markdown; it refuses names that nothing fills."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ferclean.report"),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        number=number,
        decimal=decimal,
        role=role_of,
        slug=slug,
        cell=cell,
        code=code,
    )
    environment.globals["ai_act"] = AI_ACT
    return environment.get_template(name)


def cell(value: Any) -> str:
    """Write a value for Markdown, in a table or a line: nothing in it is mark-up."""
    text = " ".join(str(value).split())
    return "".join(f"\\{letter}" if letter in "\\`*_|<>[]#" else letter for letter in text)


def code(value: Any) -> str:
    """Write a value for Markdown between back-ticks in a table."""
    return " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")


def percent(value: float | None) -> str:
    """Write a share as per cent with one decimal, an en dash where it is missing."""
    return "–" if _missing(value) else f"{100 * float(value):.1f}"  # type: ignore[arg-type]


def decimal(value: float | None) -> str:
    """Write a number with one decimal and thousands apart, an en dash where it is missing."""
    return "–" if _missing(value) else f"{float(value):,.1f}"  # type: ignore[arg-type]


def number(value: float | None) -> str:
    """Write a number with three decimals, an en dash where it is missing."""
    return "–" if _missing(value) else f"{float(value):.3f}"  # type: ignore[arg-type]


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)
