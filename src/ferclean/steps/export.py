"""``ferclean export``: repaired labels in the layouts of other programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import ferclean
from ferclean.config.data import DataSettings
from ferclean.datasets.files import read_inside
from ferclean.datasets.pictures import PictureError
from ferclean.errors import FercleanError
from ferclean.export.layouts import Layout, format_of
from ferclean.export.names import distinct_names, stem_of
from ferclean.export.pictures import HEAD_BYTES, picture_suffix, portable_picture
from ferclean.export.rows import RepairedRows, rows_of_audit, rows_of_labels
from ferclean.progress import say, track
from ferclean.steps.run_places import pictures_of
from ferclean.tables.atomic import atomic_folder
from ferclean.tables.inputs import read_parquet_frame
from ferclean.tables.labels import is_label_table, read_label_table
from ferclean.tables.packs import EncodedPack

MARK = "ferclean-export.json"
_MAX_PIXELS = DataSettings().max_pixels


def export(
    table: Path,
    *,
    form: str,
    output: Path,
    pictures: Path | None = None,
    link: bool = False,
    overwrite: bool = False,
) -> None:
    """Write repaired labels as one folder, which appears whole or not at all.

    Parameters
    ----------
    table : Path
        ``labels.parquet`` of step evaluate or of a round, or ``audit.parquet``.
    form : str
        One of :data:`ferclean.export.layouts.FORMATS`.
    output : Path
        Folder that does not exist.
    pictures : Path, optional
        Folder that the table's paths start from, or ``pictures.arrow`` of ingest; else that of
        the table's own run.
    link : bool
        Link to the pictures of the folder instead of copying them.
    overwrite : bool
        Replace `output` if it is an earlier export.

    Raises
    ------
    FercleanError
        If a file cannot be read, a picture is missing, or `output` may not be written.
    """
    layout_of, rows = format_of(form), _read_rows(table)
    left_out = 0
    if not layout_of.with_dropped:
        left_out = int(rows.dropped.sum())
        rows = rows.take(~rows.dropped)
    if not len(rows):
        raise FercleanError(f"{table} holds no row to export")
    if not layout_of.pictures and (link or pictures):
        raise FercleanError(f"format {form} holds no pictures: leave out --pictures and --link")
    source = _source(table, pictures, link=link) if layout_of.pictures else None
    names = _picture_names(rows, source)
    layout = layout_of.arrange(rows, names)
    note = {
        "format": form,
        "table": table.name,
        "ferclean": ferclean.__version__,
        "rows": len(rows),
        "left_out": left_out,
        "changed": int((rows.frame["label"] != rows.frame["given_label"]).sum()),
        "classes": list(rows.classes),
        "findings": dict(sorted(Counter(rows.frame["finding"]).items())),
    }
    with atomic_folder(output, replace=MARK if overwrite else None) as folder:
        _write(layout, rows, source, folder, link=link)
        (folder / MARK).write_text(json.dumps(note, indent=2, ensure_ascii=False) + "\n")
    say(
        f"{len(rows)} rows, {note['changed']} labels changed"
        + (f", {left_out} left out that are not to be trained with" if left_out else "")
        + f": {output}"
    )


def _read_rows(table: Path) -> RepairedRows:
    if is_label_table(table):
        return rows_of_labels(read_label_table(table), str(table))
    return rows_of_audit(read_parquet_frame(table, "audit"), str(table))


class _Source(Protocol):
    """Where pictures come from."""

    def read(self, sample_id: str, path: str) -> bytes:
        """Return a picture's bytes; a :class:`PictureError` says why there are none."""
        ...

    def head(self, sample_id: str, path: str) -> bytes:
        """Return its first bytes; errors as :meth:`read`."""
        ...

    def file(self, path: str) -> Path:
        """Return the file to link to; errors as :meth:`read`."""
        ...


class _Pack:
    """Pictures of ``pictures.arrow``."""

    def __init__(self, path: Path) -> None:
        self._pack = EncodedPack(path)

    def read(self, sample_id: str, path: str) -> bytes:
        if sample_id not in self._pack:
            raise PictureError("it is not in the pack of pictures")
        return self._pack.picture(sample_id)

    def head(self, sample_id: str, path: str) -> bytes:
        return self.read(sample_id, path)[:HEAD_BYTES]

    def file(self, path: str) -> Path:
        raise PictureError("a pack holds no file to link to")


class _Folder:
    """Pictures of a data set's folder, which no path may leave."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def read(self, sample_id: str, path: str) -> bytes:
        return read_inside(self._root, path, max_pixels=_MAX_PIXELS)

    def head(self, sample_id: str, path: str) -> bytes:
        with self.file(path).open("rb") as stream:
            return stream.read(HEAD_BYTES)

    def file(self, path: str) -> Path:
        found = (self._root / path).resolve()
        if not found.is_relative_to(self._root):
            raise PictureError("its path leads outside the data folder")
        if not found.is_file():
            raise PictureError(f"there is no file {found}")
        return found


def _source(table: Path, pictures: Path | None, *, link: bool) -> _Source:
    found = pictures or pictures_of(table)
    if found is None:
        raise FercleanError(
            f"no pictures were found for {table}: name their folder, or pictures.arrow of ingest, "
            "with --pictures"
        )
    if link and not found.is_dir():
        raise FercleanError(
            "--link needs the folder of the pictures: name it with --pictures, or leave out --link"
        )
    return _Folder(found) if found.is_dir() else _Pack(found)


def _picture_names(rows: RepairedRows, source: _Source | None) -> list[str]:
    """Return a safe and distinct name a row, with the ending of what the picture is."""
    stems = distinct_names(stem_of(path) for path in rows.frame["path"])
    if source is None:
        return stems
    suffixes = []
    for sample_id, path in _each(rows):
        try:
            suffixes.append(picture_suffix(source.head(sample_id, path)))
        except (PictureError, OSError, ValueError) as error:
            raise _missing(sample_id, error) from None
    return [stem + suffix for stem, suffix in zip(stems, suffixes, strict=True)]


def _each(rows: RepairedRows) -> Sequence[tuple[str, str]]:
    return list(zip(rows.frame["sample_id"], rows.frame["path"], strict=True))


def _missing(sample_id: str, error: Exception) -> FercleanError:
    return FercleanError(
        f"the picture of {sample_id!r} cannot be exported: {error}; name the folder that the "
        "table's paths start from with --pictures"
    )


def _write(
    layout: Layout, rows: RepairedRows, source: _Source | None, folder: Path, *, link: bool
) -> None:
    for name, content in layout.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    each = _each(rows)
    for name, row in track(layout.pictures.items(), "export", len(layout.pictures)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert source is not None  # a layout with pictures has a source of them
        try:
            if link and source.head(*each[row])[:4] != b"GIF8":
                path.symlink_to(source.file(each[row][1]))
            else:
                data = source.read(*each[row])
                path.write_bytes(portable_picture(data, max_pixels=_MAX_PIXELS))
        except PictureError as error:
            raise _missing(each[row][0], error) from None
