"""All readers by name: a new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, resolve_labels
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.fer2013 import read_fer2013_csv, read_fer2013_parquet
from ferclean.datasets.folders import read_image_folder
from ferclean.datasets.pictures import PictureError
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


READERS: dict[str, Callable[[DataSettings], Source]] = {
    "rendered": _read_rendered,
    "fer2013_csv": read_fer2013_csv,
    "fer2013_parquet": read_fer2013_parquet,
    "image_folder": read_image_folder,
    "table": read_table,
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
