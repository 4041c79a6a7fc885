"""What ``ferclean doctor --data`` says of a published data set."""

from __future__ import annotations

from pathlib import Path

from ferclean.config.data import CANONICAL_CLASSES, DataSettings
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.published.inspect import Finding, inspect_published
from ferclean.datasets.registry import published_facts, read_source
from ferclean.errors import FercleanError


def check_data(name: str, path: Path, variant: str | None = None) -> list[Finding]:
    """Hold a folder against what is published of a data set.

    Parameters
    ----------
    name : str
        As in ``data.source``.
    path : Path
        The folder, as in ``data.path``.
    variant : str, optional
        As in ``data.variant``.

    Returns
    -------
    list of Finding
        See :func:`check_settings`.

    Raises
    ------
    FercleanError
        If nothing is known of a set of this name, or it has no such variant.
    """
    facts = published_facts(name)
    known = label_lookup(CANONICAL_CLASSES)
    basic = all(word.lower() in known for word in facts.classes)
    classes = CANONICAL_CLASSES if basic else facts.classes
    settings = DataSettings(source=name, path=str(path), variant=variant, classes=classes)  # type: ignore[arg-type]
    facts.variant_of(settings)  # an unknown one is a mistake of the call, not of the folder
    return check_settings(settings)


def check_settings(settings: DataSettings) -> list[Finding]:
    """Hold what section ``data`` names against what is published of it.

    Parameters
    ----------
    settings : DataSettings
        With the name of a published set as its source.

    Returns
    -------
    list of Finding
        One alone, ``missing``, where it cannot be read as this set.
    """
    facts = published_facts(settings.source)
    try:
        frame = read_source(settings).frame
    except FercleanError as error:
        return [Finding("missing", "layout", str(error))]
    return list(inspect_published(facts.form_of(settings), frame, settings))
