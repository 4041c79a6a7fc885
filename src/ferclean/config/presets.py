"""Presets: files that change some keys of the defaults, for one published experiment each."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

from ferclean.config.load import build_settings
from ferclean.config.reference import defaults
from ferclean.errors import unknown_name

_FOLDER = files("ferclean.config") / "presets"


def preset_names() -> list[str]:
    """List the presets by name, sorted; files that begin with ``_`` are only shared parts."""
    stems = [entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir()]
    return sorted(stem for stem in stems if not stem.startswith("_"))


def preset_note(name: str) -> str:
    """Return the comment at the head of a preset: what it is and where its numbers come from.

    Raises
    ------
    FercleanError
        If there is no such preset; the message lists the known ones.
    """
    lines = _text(_known(name)).splitlines()
    head = lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    return "\n".join(line.removeprefix("#").strip() for line in head)


def load_preset(name: str) -> dict[str, Any]:
    """Return all settings of a preset: its own keys over the defaults.

    Parameters
    ----------
    name : str
        One of :func:`preset_names`.

    Returns
    -------
    dict
        Plain values of every key of every section, as params.yaml would hold them.

    Raises
    ------
    FercleanError
        If there is no such preset.
    """
    overlay = _overlay(_known(name))
    build_settings(overlay, source=f"preset {name}")
    return merge(defaults(), overlay)


def merge(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `overlay`; mappings are merged, anything else replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        both_mappings = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both_mappings else value
    return merged


def _known(name: str) -> str:
    if name not in preset_names():
        raise unknown_name("preset", name, preset_names())
    return name


def _overlay(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_text(name))
    shared = content.pop("extends", [])
    merged: dict[str, Any] = {}
    for base in [shared] if isinstance(shared, str) else shared:
        merged = merge(merged, _overlay(base))
    return merge(merged, content)


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
