"""Settings of the controls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CrossEntropySettings:
    """Plain cross-entropy: the control. It has no knob of its own."""


@dataclass(frozen=True)
class OracleCleanSettings:
    """Cross-entropy on the truly clean training rows: the ceiling. It has no knob of its own."""
