"""Section ``report``."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class ReportSettings:
    """What the HTML page shows."""

    title: str = setting("ferclean report", "Heading of the page.")
    gallery: int = setting(60, "Suspicious faces shown per run.", minimum=0)
    sample_sheet: int = setting(8, "Faces per class on the sample sheet.", minimum=1)
