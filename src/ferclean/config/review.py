"""Section ``review``: what people decided about single labels."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class ReviewSettings:
    """Where people's decisions stand."""

    path: str | None = setting(
        None,
        "Decisions of the review page (data/review/review.csv); they win over given labels and "
        "over every method.",
    )
