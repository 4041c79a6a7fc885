"""All readers by name: a new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, resolve_labels
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.fer2013 import read_fer2013_csv, read_fer2013_parquet
from ferclean.datasets.folders import read_image_folder
from ferclean.datasets.pictures import PictureError
from ferclean.datasets.published.base import PublishedSet
from ferclean.datasets.tabular import read_table
from ferclean.errors import unknown_name


def _read_rendered(settings: DataSettings) -> Source:
    # The renderer is imported only by those who draw.
    from ferclean.datasets.rendered import read_rendered

    frame, pictures = read_rendered(settings)
    frame = frame.reset_index(drop=True)
    lookup = label_lookup(settings.classes)
    given, reason = resolve_labels(frame["given"], lookup)
    frame = frame.assign(given=given, reason=reason)
    if "true" in frame:
        frame["true"], _ = resolve_labels(frame["true"], lookup)
    rows = {sample_id: row for row, sample_id in enumerate(frame["sample_id"])}

    def by_row() -> Iterator[tuple[int, bytes | PictureError]]:
        for sample_id, data in pictures:
            yield rows[sample_id], data

    return Source("rendered", frame, by_row())


# Module, reader and facts of each published set, imported only by those who ask for it.
PUBLISHED = {
    "rafdb": ("rafdb", "read_rafdb", "BASIC"),
    "rafdb_compound": ("rafdb", "read_rafdb_compound", "COMPOUND"),
    "affectnet": ("affectnet", "read_affectnet", "AFFECTNET"),
    "ferplus": ("ferplus_folders", "read_ferplus_folders", "FERPLUS"),
    "expw": ("expw", "read_expw", "EXPW"),
    "cifar10": ("cifar", "read_cifar10", "CIFAR10"),
    "cifar100": ("cifar", "read_cifar100", "CIFAR100"),
    "animal10n": ("animal10n", "read_animal10n", "ANIMAL10N"),
    "webvision_mini": ("webvision", "read_webvision_mini", "WEBVISION_MINI"),
    "clothing1m": ("clothing1m", "read_clothing1m", "CLOTHING1M"),
    "food101n": ("food101n", "read_food101n", "FOOD101N"),
    "hf_imagefolder": ("hugging_face", "read_hf_imagefolder", "HF_IMAGEFOLDER"),
}


def _module(name: str) -> ModuleType:
    return import_module(f"ferclean.datasets.published.{PUBLISHED[name][0]}")


def _published(name: str) -> Callable[[DataSettings], Source]:
    def read(settings: DataSettings) -> Source:
        source: Source = getattr(_module(name), PUBLISHED[name][1])(settings)
        return source

    return read


READERS: dict[str, Callable[[DataSettings], Source]] = {
    "rendered": _read_rendered,
    "fer2013_csv": read_fer2013_csv,
    "fer2013_parquet": read_fer2013_parquet,
    "image_folder": read_image_folder,
    "table": read_table,
    **{name: _published(name) for name in PUBLISHED},
}


def read_source(settings: DataSettings) -> Source:
    """Read the data set that the settings name.

    Raises
    ------
    FercleanError
        For an unknown reader (the message lists the known ones), and whatever the reader raises.
    """
    if settings.source not in READERS:
        raise unknown_name("data.source", settings.source, READERS)
    return READERS[settings.source](settings)


def published_facts(name: str) -> PublishedSet:
    """Return what is published of a data set.

    Raises
    ------
    FercleanError
        If nothing is known of a set of this name (the message lists the known ones).
    """
    if name not in PUBLISHED:
        raise unknown_name("published data set", name, PUBLISHED)
    facts: PublishedSet = getattr(_module(name), PUBLISHED[name][2])
    return facts
