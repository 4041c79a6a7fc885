"""Load the pages' templates, with the filters that write numbers."""

from __future__ import annotations

import math
from typing import Any

from ferclean.report.run_section import role_of, slug


def load_template(name: str) -> Any:
    """Return a template of this package; it refuses names that nothing fills."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ferclean.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, number=number, role=role_of, slug=slug)
    return environment.get_template(name)


def percent(value: float | None) -> str:
    """Write a share as per cent with one decimal, an en dash where it is missing."""
    return "–" if _missing(value) else f"{100 * float(value):.1f}"  # type: ignore[arg-type]


def number(value: float | None) -> str:
    """Write a number with three decimals, an en dash where it is missing."""
    return "–" if _missing(value) else f"{float(value):.3f}"  # type: ignore[arg-type]


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)
