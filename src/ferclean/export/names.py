"""File names that are safe on every file system, and differ."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

PICTURE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100
# Names that Windows keeps for devices, whatever their ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_name(text: str) -> str:
    """Turn any text into a file name: letters without accents, digits, ``.``, ``_`` and ``-``.

    It leads nowhere, is not hidden, not empty, and at most 100 characters long.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    name = _UNSAFE.sub("_", plain).strip("._")[:_LONGEST].rstrip("._")
    return f"_{name}" if not name or _RESERVED.match(name) else name


def stem_of(path: str) -> str:
    """Return a path without the ending of a picture; any other dot belongs to the name."""
    head, dot, ending = path.rpartition(".")
    return head if dot and f".{ending.lower()}" in PICTURE_SUFFIXES else path


def distinct_names(texts: Iterable[str]) -> list[str]:
    """Return a safe name for every text, no two equal, on file systems without cases either.

    Of texts that give the same name, all but the first are numbered from 2 on.
    """
    taken: set[str] = set()
    last: dict[str, int] = {}  # of each name: no lower number is free again
    names = []
    for text in texts:
        first = safe_name(text)
        number = last.get(first.lower(), 1)
        name = first if number == 1 else f"{first}-{number}"
        while name.lower() in taken:
            number += 1
            name = f"{first}-{number}"
        last[first.lower()] = number
        taken.add(name.lower())
        names.append(name)
    return names
