"""The one exception that a user is meant to see."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import TypeGuard

_LONGEST_SENTENCE = 600
_SHORT = reprlib.Repr()
_SHORT.maxstring, _SHORT.maxother, _SHORT.maxlevel = 120, 120, 2


class FercleanError(Exception):
    """A mistake the user can mend: one sentence naming the file or key and the way out.

    The command line prints the message without a traceback and ends with exit code 2.
    """


def unknown_name(kind: str, name: object, known: Iterable[str]) -> FercleanError:
    """Build the error for a name that is not among the known ones, with the nearest match.

    Parameters
    ----------
    kind : str
        What the name stands for, for example ``"method"`` or ``"params.yaml key"``.
    name : object
        The name as given.
    known : iterable of str
        The accepted names.

    Returns
    -------
    FercleanError
        To be raised by the caller.
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1) if _is_short(name) else []
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return FercleanError(f"unknown {kind} {shown(name)}{hint} (known: {', '.join(names)})")


def _is_short(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and len(name) < _SHORT.maxstring


def shown(value: object) -> str:
    """Return a value as a message can show it, however large it is.

    A file of a few lines can hold a value that would fill the memory when it is written out.
    """
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return f"an {type(value).__name__} that is too large to be shown"


def in_one_line(text: str) -> str:
    """Return a message as one line of bounded length that cannot steer a terminal.

    Messages quote what files hold, and files may hold anything.
    """
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    if len(plain) <= _LONGEST_SENTENCE:
        return plain
    half = _LONGEST_SENTENCE // 2
    return f"{plain[:half]} [...] {plain[-half:]}"
