"""All readers by name: a new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

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


# Where the reader of each published set is, imported only by those who read it.
PUBLISHED = {
    "rafdb": "ferclean.datasets.published.rafdb:read_rafdb",
    "rafdb_compound": "ferclean.datasets.published.rafdb:read_rafdb_compound",
    "affectnet": "ferclean.datasets.published.affectnet:read_affectnet",
    "expw": "ferclean.datasets.published.expw:read_expw",
    "cifar10": "ferclean.datasets.published.cifar:read_cifar10",
    "cifar100": "ferclean.datasets.published.cifar:read_cifar100",
    "animal10n": "ferclean.datasets.published.animal10n:read_animal10n",
    "webvision_mini": "ferclean.datasets.published.webvision:read_webvision_mini",
    "clothing1m": "ferclean.datasets.published.clothing1m:read_clothing1m",
    "food101n": "ferclean.datasets.published.food101n:read_food101n",
    "hf_imagefolder": "ferclean.datasets.published.hugging_face:read_hf_imagefolder",
}


def _published(place: str) -> Callable[[DataSettings], Source]:
    module, _, name = place.partition(":")

    def read(settings: DataSettings) -> Source:
        source: Source = getattr(import_module(module), name)(settings)
        return source

    return read


READERS: dict[str, Callable[[DataSettings], Source]] = {
    "rendered": _read_rendered,
    "fer2013_csv": read_fer2013_csv,
    "fer2013_parquet": read_fer2013_parquet,
    "image_folder": read_image_folder,
    "table": read_table,
    **{name: _published(place) for name, place in PUBLISHED.items()},
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
    """Return what is published of a data set, of its first variant.

    Raises
    ------
    FercleanError
        If nothing is known of a set of this name (the message lists the known ones).
    """
    if name not in PUBLISHED:
        raise unknown_name("published data set", name, PUBLISHED)
    module = import_module(PUBLISHED[name].partition(":")[0])
    facts = [value for value in vars(module).values() if isinstance(value, PublishedSet)]
    return next(each for each in facts if each.name == name)
