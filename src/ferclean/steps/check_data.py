"""What ``ferclean doctor --data`` says of a published data set."""

from __future__ import annotations

from pathlib import Path

from ferclean.config.data import CANONICAL_CLASSES, DataSettings
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.published.inspect import Finding, inspect_published
from ferclean.datasets.registry import published_facts, read_source
from ferclean.errors import FercleanError


def check_data(name: str, path: Path) -> list[Finding]:
    """Hold a folder against what is published of a data set.

    Parameters
    ----------
    name : str
        As in ``data.source``.
    path : Path
        The folder, as in ``data.path``.

    Returns
    -------
    list of Finding
        One alone, ``missing``, where the folder cannot be read as this set.

    Raises
    ------
    FercleanError
        If nothing is known of a set of this name.
    """
    facts = published_facts(name)
    known = label_lookup(CANONICAL_CLASSES)
    basic = all(word.lower() in known for word in facts.classes)
    classes = CANONICAL_CLASSES if basic else facts.classes
    settings = DataSettings(source=name, path=str(path), classes=classes)  # type: ignore[arg-type]
    try:
        frame = read_source(settings).frame
    except FercleanError as error:
        return [Finding("missing", "layout", str(error))]
    return list(inspect_published(facts, frame, settings))
