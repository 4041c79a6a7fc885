"""Settings of RUL."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class RulSettings:
    """RUL: relative uncertainty learned from mixed features.

    Defaults are the constants of the authors' code.
    """

    width: int = setting(64, "Width of the mixed feature.", minimum=1)
    dropout: float = setting(0.4, "Dropout within both branches.", minimum=0, maximum=0.95)
