"""The one exception that a user is meant to see."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return FercleanError(f"unknown {kind} {name!r}{hint} (known: {', '.join(names)})")
