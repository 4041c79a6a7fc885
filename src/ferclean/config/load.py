"""Read params.yaml (or a JSON text of some of its sections) into typed settings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ferclean.config.fields import build
from ferclean.config.sections import SECTIONS
from ferclean.errors import FercleanError, unknown_name

_MOST_KEYS, _LONGEST_FILE = 10_000, 10**6


class Settings:
    """The sections a step was given, as attributes: ``settings.noise``, ``settings.training``.

    Reading a section that was not passed is an error rather than a silent default, so a step
    can never depend on a parameter that the workflow does not track for it.
    """

    def __init__(self, sections: Mapping[str, Any]) -> None:
        self._sections = dict(sections)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_sections"][name]
        except KeyError:
            raise FercleanError(
                f"section {name!r} of params.yaml was not passed to this step"
            ) from None

    def with_section(self, name: str, section: Any) -> Settings:
        """Return a copy in which one section is another one."""
        return Settings({**self._sections, name: section})


def build_settings(raw: Any, sections: Iterable[str] | None = None, source: str = "") -> Settings:
    """Check a raw mapping and build its sections.

    Parameters
    ----------
    raw : Any
        Parsed YAML or JSON: section name to mapping.
    sections : iterable of str, optional
        The sections the caller needs; each must be present. ``None`` builds all sections,
        absent ones with their defaults.
    source : str
        File name for messages.

    Returns
    -------
    Settings
    """
    prefix = f"{source}: " if source else ""
    if not isinstance(raw, dict):
        raise FercleanError(f"{prefix}expected a mapping of sections, found {_named(raw)}")
    for name in raw:
        if name not in SECTIONS:
            raise FercleanError(prefix + str(unknown_name("section", name, SECTIONS)))
    wanted = SECTIONS if sections is None else list(sections)
    missing = [name for name in wanted if name not in raw] if sections is not None else []
    if missing:
        raise FercleanError(f"{prefix}section {missing[0]!r} is missing")
    try:
        return Settings({name: build(SECTIONS[name], raw.get(name), name) for name in wanted})
    except FercleanError as error:
        raise FercleanError(prefix + str(error)) from None


def _named(raw: Any) -> str:
    return "nothing" if raw is None else f"a {type(raw).__name__}"


def load_raw(text_or_path: str | Path) -> tuple[Any, str]:
    """Parse a YAML file, or a JSON object given in place of a path.

    Returns
    -------
    raw : Any
        The parsed content.
    source : str
        The file name, or ``"--params"`` for inline JSON.
    """
    text = str(text_or_path)
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_unique_pairs), "--params"
        except ValueError as error:  # not only of its syntax: of numbers with 5,000 digits, too
            raise FercleanError(f"--params is not valid JSON: {error}") from None
        except RecursionError:
            raise FercleanError("--params is nested too deeply") from None
    path = Path(text)
    try:
        with path.open(encoding="utf-8") as stream:
            content = stream.read(_LONGEST_FILE + 1)
        if len(content) > _LONGEST_FILE:
            raise FercleanError(f"{path}: params must not be longer than {_LONGEST_FILE} letters")
        return yaml.load(content, _UniqueKeyLoader), path.name  # noqa: S506
    except FileNotFoundError:
        raise FercleanError(f"params file not found: {path}") from None
    except OSError as error:
        raise FercleanError(f"cannot read params file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FercleanError(f"{path}: params must be UTF-8 text") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None)
        raise FercleanError(
            f"{path}: not valid YAML{line}{': ' + problem if problem else ''}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise FercleanError(f"{path}: not valid YAML: {error}") from None


class _UniqueKeyLoader(yaml.SafeLoader):
    """The safe loader, but a key written twice is an error and not a silent overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue  # the parent refuses it
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key_node.value!r} stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        # Mappings that merge each other several times over grow tenfold a line.
        if len(node.value) > _MOST_KEYS:
            raise yaml.constructor.ConstructorError(
                None, None, f"a mapping with more than {_MOST_KEYS} keys", node.start_mark
            )


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise FercleanError(f"--params: key {twice[0]!r} stands twice")
    return dict(pairs)


def load_settings(
    text_or_path: str | Path = "params.yaml", sections: Iterable[str] | None = None
) -> Settings:
    """Load and check settings; see :func:`build_settings` and :func:`load_raw`."""
    raw, source = load_raw(text_or_path)
    return build_settings(raw, sections, source)
