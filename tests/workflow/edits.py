"""Every edit that the agreement test makes: another valid value for each leaf of params.yaml."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any

from ferclean.config.load import build_settings
from ferclean.config.sections import SECTIONS
from workflow.project import merge

# Leaves whose other value cannot be told from the type: names, paths, and what a check ties
# together. A reader that needs a file gets one, in the same section.
BY_HAND: dict[str, dict[str, Any]] = {
    "data.source": {"data": {"source": "table", "path": "data/raw/other"}},
    "data.votes_path": {
        "data": {
            "source": "fer2013_csv",
            "path": "data/raw/other",
            "votes_path": "data/raw/other",
        }
    },
    "data.labels": {
        "data": {
            "source": "fer2013_parquet",
            "path": "data/raw/other",
            "labels": "ferplus_winner",
        }
    },
    "data.annotators": {
        "data": {"source": "table", "path": "data/raw/other", "annotators": ["second"]}
    },
    "data.variant": {"data": {"source": "rafdb", "path": "data/raw/other", "variant": "original"}},
    "data.labels_path": {
        "data": {
            "source": "rafdb",
            "path": "data/raw/other",
            "labels_path": "data/raw/other",
        }
    },
    "data.classes": {"data": {"classes": ["b", "a"]}},
    "grid.methods": {"grid": {"methods": ["oracle_clean"]}},
    "grid.controls": {"grid": {"controls": ["oracle_clean"]}},
    "noise.asymmetric_map": {"noise": {"asymmetric_map": "cifar10"}},
    "semantics.source": {"semantics": {"source": "identity"}},
    "semantics.words": {"semantics": {"words": {"fear": "dread"}}},
    "training.augment.erase_area": {"training": {"augment": {"erase_area": [0.05, 0.2]}}},
}
FILES = {
    "data.path": "data/raw/other",
    "noise.file": "data/noise/other",
    "review.path": "data/review/other",
    "semantics.path": "data/words/other",
    "model.weights": "data/weights/other",
}


def leaves(params: dict[str, Any], where: str = "") -> Iterator[str]:
    """Yield the dotted name of every value that is not a mapping with keys.

    An empty mapping is a leaf where its setting is a mapping of the user's own keys.
    """
    for key, value in params.items():
        name = f"{where}{key}"
        if isinstance(value, dict) and (value or _is_section(name)):
            yield from leaves(value, f"{name}.")
        else:
            yield name


def edited(params: dict[str, Any], leaf: str) -> dict[str, Any]:
    """Return `params` with another valid value at `leaf`."""
    if leaf in BY_HAND:
        changed = merge(params, BY_HAND[leaf])
    else:
        value = FILES.get(leaf) or _other_value(leaf, _get(params, leaf))
        nested: Any = value
        for key in reversed(leaf.split(".")):
            nested = {key: nested}
        changed = merge(params, nested)
    build_settings(changed)
    assert _get(changed, leaf) != _get(params, leaf), leaf
    return changed


def _field(leaf: str) -> tuple[Any, Any]:
    """Return annotation and metadata of a leaf's field."""
    section, *keys = leaf.split(".")
    annotation: Any = SECTIONS[section]
    metadata: Any = {}
    for key in keys:
        if not dataclasses.is_dataclass(annotation):
            return typing.get_args(annotation)[-1], metadata
        field = next(f for f in dataclasses.fields(annotation) if f.name == key)
        metadata = field.metadata
        annotation = typing.get_type_hints(annotation)[key]
    return annotation, metadata


def _is_section(leaf: str) -> bool:
    return dataclasses.is_dataclass(_field(leaf)[0])


def _get(params: dict[str, Any], leaf: str) -> Any:
    value: Any = params
    for key in leaf.split("."):
        value = value[key]
    return value


def _other_value(leaf: str, value: Any) -> Any:
    annotation, metadata = _field(leaf)
    options = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return next(choice for choice in options if choice != value)
    if typing.get_origin(annotation) is tuple:
        inner = options[0]
        if typing.get_origin(inner) is typing.Literal:
            return [next(c for c in typing.get_args(inner) if c not in (*value, "none", "file"))]
        return [*value[:-1], _other_number(value[-1] if value else 1, metadata)]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType) and value is None:
        raise AssertionError(f"{leaf}: name another value for it in BY_HAND or FILES")
    if isinstance(value, bool):
        return not value
    return f"{value} too" if isinstance(value, str) else _other_number(value, metadata)


def _other_number(value: float, metadata: Any) -> float:
    maximum = metadata.get("maximum")
    if isinstance(value, int):
        return value + 1 if maximum is None or value < maximum else value - 1
    return value / 2 if value else (1.0 if maximum is None else maximum / 2)
