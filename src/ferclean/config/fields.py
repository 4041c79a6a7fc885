"""Typed settings: dataclass fields that carry their own help text and bounds."""

from __future__ import annotations

import copy
import dataclasses
import math
import re
import types
import typing
from typing import Any, TypeVar

from ferclean.errors import FercleanError, shown, unknown_name

T = TypeVar("T")
_EXPONENT_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


def setting(
    default: Any,
    help_text: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
) -> Any:
    """Declare one key of a settings dataclass.

    Parameters
    ----------
    default : Any
        Value when the key is absent; a dict or nested settings are copied each time.
    help_text : str
        One sentence for the generated reference (``docs/params.md``).
    minimum, maximum : float, optional
        Inclusive bounds for numbers, also applied to each item of a list.
    above : float, optional
        Exclusive lower bound.

    Returns
    -------
    Any
        A :func:`dataclasses.field`.
    """
    metadata = {"help": help_text, "minimum": minimum, "maximum": maximum, "above": above}
    if isinstance(default, dict) or dataclasses.is_dataclass(default):
        return dataclasses.field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def build(cls: type[T], values: Any, where: str, default: T | None = None) -> T:
    """Turn a plain mapping into a settings dataclass, checking every key, type and bound.

    Parameters
    ----------
    cls : type
        The settings dataclass.
    values : Any
        What the YAML or JSON held under `where`; must be a mapping (or ``None`` for defaults).
    where : str
        Dotted key used in messages, for example ``"noise"``.
    default : T, optional
        Settings that keys left out are taken from; without it those of `cls`. Nested settings
        start from the default of the key that holds them, which need not be that of their class.

    Returns
    -------
    T
        The settings; its own ``check(where)`` method, if any, has passed.

    Raises
    ------
    FercleanError
        Naming the key, what was found and what was expected.
    """
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise FercleanError(f"{where} must be a mapping of keys, found {shown(values)}")
    declared = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    start: Any = cls() if default is None else default
    arguments = {}
    for key, value in values.items():
        if key not in declared:
            raise unknown_name(f"key in {where}", key, declared)
        name = f"{where}.{key}"
        arguments[key] = convert(value, hints[key], name, getattr(start, key))
        _check_bounds(arguments[key], declared[key].metadata, name)
    built: T = dataclasses.replace(start, **arguments)
    if hasattr(built, "check"):
        built.check(where)
    return built


def check_range(ends: tuple[float, ...], where: str) -> None:
    """Check that a list has two ordered ends.

    Parameters
    ----------
    ends : tuple of float
        Of any length.
    where : str
        Dotted key used in the message.

    Raises
    ------
    FercleanError
        If there are not two, or the first one is the larger.
    """
    if len(ends) != 2 or ends[0] > ends[1]:
        raise FercleanError(f"{where} must be [smallest, largest], found {shown(list(ends))}")


def convert(value: Any, annotation: Any, where: str, default: Any = None) -> Any:
    """Convert one YAML value to its annotated type, without guessing.

    An integer is accepted where a float is expected, ``1e-3`` too where the YAML reader took it
    for text, and a scalar where a list is expected (``seeds: 0``); nothing else is coerced.
    Nested settings take from `default` the keys that `value` leaves out.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, arguments, where)
    if origin is typing.Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            raise unknown_name(f"value for {where}", value, [str(choice) for choice in arguments])
        return value
    if origin is tuple:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(convert(v, arguments[0], f"{where}[{i}]") for i, v in enumerate(items))
    if origin is dict:
        if not isinstance(value, dict):
            raise _wrong_type(value, "a mapping", where)
        return {str(k): convert(v, arguments[1], f"{where}.{k}") for k, v in value.items()}
    if dataclasses.is_dataclass(annotation):
        return value if isinstance(value, annotation) else build(annotation, value, where, default)  # type: ignore[arg-type]
    return _convert_scalar(value, annotation, where)


def _convert_union(value: Any, arguments: tuple[Any, ...], where: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    *others, last = [argument for argument in arguments if argument is not type(None)]
    for candidate in others:
        try:
            return convert(value, candidate, where)
        except FercleanError:
            continue
    names = typing.get_args(last) if typing.get_origin(last) is typing.Literal else ()
    if float in others and names and value not in names:
        raise _wrong_type(value, f"a finite number or {' or '.join(map(str, names))}", where)
    return convert(value, last, where)


def _convert_scalar(value: Any, annotation: type, where: str) -> Any:
    if annotation is float:
        return _convert_number(value, where)
    if isinstance(value, str) and not _can_be_a_name(value):
        raise _wrong_type(value, "a text without NUL and half characters", where)
    if type(value) is annotation:
        return value
    expected = {int: "an integer", str: "a text", bool: "true or false"}
    raise _wrong_type(value, expected.get(annotation, str(annotation)), where)


def _can_be_a_name(text: str) -> bool:
    """Tell whether a text can name a file and stand in one."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _convert_number(value: Any, where: str) -> float:
    # PyYAML follows YAML 1.1 and reads 1e-3 as text, other readers of the same file do not.
    exponent = isinstance(value, str) and _EXPONENT_NUMBER.fullmatch(value)
    if exponent or (isinstance(value, int | float) and not isinstance(value, bool)):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise _wrong_type(value, "a finite number", where)


def _wrong_type(value: Any, expected: str, where: str) -> FercleanError:
    return FercleanError(f"{where} must be {expected}, found {shown(value)}")


def _check_bounds(value: Any, metadata: typing.Mapping[str, Any], where: str) -> None:
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        low, high, above = metadata["minimum"], metadata["maximum"], metadata["above"]
        if low is not None and number < low:
            raise FercleanError(f"{where} must be at least {low}, found {shown(number)}")
        if above is not None and number <= above:
            raise FercleanError(f"{where} must be above {above}, found {shown(number)}")
        if high is not None and number > high:
            raise FercleanError(f"{where} must be at most {high}, found {shown(number)}")
