"""What is written from the settings dataclasses: defaults, params.yaml, docs/params.md."""

from __future__ import annotations

import dataclasses
import math
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ferclean.config.sections import SECTIONS
from ferclean.config.steps import STEP_SECTIONS

_COMMENT_COLUMN = 34
_LINE_WIDTH = 100
_REFERENCE_HEAD = (
    "# params.yaml",
    "",
    "<!-- Written by `ferclean params --reference --out docs/params.md`; do not edit. -->",
    "",
    "All settings stand in `params.yaml`. A key left out takes its default. An unknown key, a",
    "wrong type or a value out of bounds ends with one sentence that names it.",
    "",
    "* `ferclean params --check params.yaml` checks a file.",
    "* `ferclean params --preset NAME --out params.yaml` writes a ready-made one; what stood there",
    "  is kept as `params.yaml.old`.",
    "* `ferclean params --list` lists the presets.",
    "",
    "`params.yaml` itself is the preset `fer`: these defaults for small grey faces, 60 epochs in",
    "batches of 32, and three constants of SMR.",
)
_PRESET_HEAD = (
    "Each changes only what it must. Data sets are not shipped: put them where `data.path` of the",
    "preset says, or change that key.",
)


@dataclass(frozen=True)
class Key:
    """One key of params.yaml as its dataclass declares it.

    Attributes
    ----------
    name : str
        Dotted name, ``"training.optimizer.name"``.
    annotation : Any
        Its type.
    default : Any
        Plain default value (lists, mappings and scalars only).
    metadata : mapping
        ``help``, ``minimum``, ``maximum``, ``above``.
    """

    name: str
    annotation: Any
    default: Any
    metadata: typing.Mapping[str, Any]


def defaults() -> dict[str, Any]:
    """Return every key of every section at its default, as plain YAML values."""
    return {name: plain(cls()) for name, cls in SECTIONS.items()}


def plain(value: Any) -> Any:
    """Turn settings into what YAML can hold: dataclasses to mappings, tuples to lists."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def keys_of(cls: type, where: str, default: Any = None) -> Iterator[Key]:
    """Yield the keys of one settings dataclass, those of nested ones in their place.

    Defaults are those of `default`, settings of that class; without it those of the class.
    """
    hints = typing.get_type_hints(cls)
    built = cls() if default is None else default
    for field in dataclasses.fields(cls):
        name, annotation = f"{where}.{field.name}", hints[field.name]
        value = getattr(built, field.name)
        if dataclasses.is_dataclass(annotation):
            yield from keys_of(typing.cast(type, annotation), name, value)
        else:
            yield Key(name, annotation, plain(value), field.metadata)


def params_text(values: dict[str, Any], heading: str = "") -> str:
    """Write settings as YAML with the help of every key beside it.

    Parameters
    ----------
    values : dict
        All sections with all keys, as :func:`defaults` gives them.
    heading : str
        Comment lines for the top of the file, without ``#``.

    Returns
    -------
    str
        Text that :func:`ferclean.config.load.load_settings` reads back to the same settings.
    """
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    shown = {**values, "methods": methods_shown(values)}
    for section, cls in SECTIONS.items():
        lines += ["", *_block(section, cls, shown[section], indent=0)]
    return "\n".join(lines).lstrip("\n") + "\n"


def methods_shown(values: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of section ``methods`` that a params.yaml spells out.

    Those are the methods of the grid and those that differ from their defaults; the others
    would only hide them.
    """
    grid, untouched = values["grid"], defaults()["methods"]
    run = {*grid["methods"], *grid["controls"]}
    methods = values["methods"]
    return {n: v for n, v in methods.items() if n in run or v != untouched[n]}


def _block(name: str, cls: type, values: dict[str, Any], indent: int) -> list[str]:
    hints = typing.get_type_hints(cls)
    pad = " " * indent
    if not dataclasses.fields(cls):
        return _commented(f"{pad}{name}: {{}}", _summary(cls))
    lines = _commented(f"{pad}{name}:", _summary(cls))
    for field in dataclasses.fields(cls):
        if field.name not in values:
            continue
        value, annotation = values[field.name], hints[field.name]
        if dataclasses.is_dataclass(annotation):
            lines += _block(field.name, typing.cast(type, annotation), value, indent + 2)
        else:
            written = _flow(value, _LINE_WIDTH - indent - 18).replace("\n", f"\n{pad}    ")
            entry = f"{pad}  {field.name}: {written}"
            lines += _commented(entry, field.metadata["help"] + _choices_note(annotation))
    return lines


def _commented(entry: str, comment: str) -> list[str]:
    column = max(_COMMENT_COLUMN, len(entry) + 2)
    if column > _LINE_WIDTH * 2 // 5:  # a long value: its comment goes above it
        indent = " " * (len(entry) - len(entry.lstrip()))
        width = _LINE_WIDTH - len(indent) - 2
        return [f"{indent}# {line}" for line in textwrap.wrap(comment, width)] + [entry]
    first, *more = textwrap.wrap(comment, _LINE_WIDTH - column - 2)
    return [f"{entry:<{column}}# {first}"] + [f"{'':<{column}}#   {line}" for line in more]


def _flow(value: Any, width: float = math.inf) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=width, allow_unicode=True)
    if not text.replace("\n", "").isprintable():  # some would not survive being read back
        text = yaml.safe_dump(value, default_flow_style=True, width=width)
    return text.removesuffix("...\n").strip()


def _choices_note(annotation: Any) -> str:
    found = choices(annotation)
    return f" One of: {', '.join(found)}." if found else ""


def choices(annotation: Any) -> list[str]:
    """Return the names a key accepts, or nothing when it takes free values too."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return [str(choice) for choice in arguments]
    if float in arguments:  # a number or a name
        return []
    return [name for inner in arguments for name in choices(inner)]


def _summary(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def reference_text(presets: typing.Mapping[str, str]) -> str:
    """Write ``docs/params.md``: every key with its default, what it accepts and what it means.

    Parameters
    ----------
    presets : mapping of str to str
        Name and note of each preset.

    Returns
    -------
    str
        Markdown.
    """
    lines = list(_REFERENCE_HEAD)
    for section, cls in SECTIONS.items():
        steps = [f"`{step}`" for step, sections in STEP_SECTIONS.items() if section in sections]
        readers = f"Read by {', '.join(steps)}." if steps else "Read by the workflow's rules."
        lines += ["", f"## {section}", "", f"{_summary(cls)} {readers}", ""]
        lines += ["| key | default | accepts | meaning |", "|---|---|---|---|"]
        lines += [_row(key, section) for key in keys_of(cls, section)]
    lines += ["", "## Presets", "", *_PRESET_HEAD, "", "| preset | what it is |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(' '.join(note.split()))} |" for name, note in presets.items()]
    return "\n".join(lines) + "\n"


def _row(key: Key, section: str) -> str:
    name = key.name.removeprefix(f"{section}.")
    cells = [f"`{name}`", f"`{_flow(key.default)}`", accepted(key), key.metadata["help"]]
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def accepted(key: Key) -> str:
    """Say in words which values a key accepts.

    Parameters
    ----------
    key : Key

    Returns
    -------
    str
        For example ``"number, above 0, at most 1"``.
    """
    metadata = key.metadata
    bounds = [
        f"{words} {metadata[name]}"
        for name, words in (("minimum", "at least"), ("above", "above"), ("maximum", "at most"))
        if metadata[name] is not None
    ]
    return ", ".join([_type_words(key.annotation), *bounds])


def _type_words(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple:
        return f"one or a list of: {_type_words(arguments[0])}"
    if origin is dict:
        return "mapping of text to text"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_words(argument) for argument in arguments)
    words = {float: "number", int: "integer", str: "text", bool: "`true`, `false`"}
    return words.get(annotation, "`null`")
