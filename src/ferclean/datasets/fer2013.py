"""FER2013: the original csv, with or without FER+ votes, and the Parquet file that joins both."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, first_reason, resolve_labels
from ferclean.datasets.classes import FER2013_ORDER, label_lookup
from ferclean.datasets.ferplus import VOTE_COLUMNS, apply_votes, parse_votes
from ferclean.datasets.files import open_parquet, read_csv_rows, read_parquet_batches
from ferclean.datasets.pictures import PictureError
from ferclean.errors import FercleanError

_SIZE = 48
_PARQUET_VOTES = tuple("fp_" + name for name in VOTE_COLUMNS)
_PARQUET_COLUMNS = ("index", "label", "usage", "image_src", *_PARQUET_VOTES)
_LOSSLESS = 1  # image_src of pictures that are not JPEG copies
_CODE = re.compile(r"([0-6])(\.0*)?")  # "3", or "3.0" as a float column writes it


def read_fer2013_csv(settings: DataSettings) -> Source:
    """Read ``fer2013.csv`` (``emotion,pixels,Usage``), and FER+'s ``fer2013new.csv`` if named.

    Training is the training split. PublicTest is the test split, unless the file holds
    PrivateTest rows: then PublicTest is the validation split and PrivateTest the test split.

    Raises
    ------
    FercleanError
        If a file cannot be read or the votes do not belong to the pictures.
    """
    path = Path(settings.path or "")
    rows = list(read_csv_rows(path, ("emotion", "Usage")))
    found = pd.DataFrame(rows, columns=["emotion", "usage"], dtype=object)
    frame = _rows(found["emotion"], found["usage"], pd.Series(found.index), path, settings)
    if settings.votes_path is not None:
        votes = _read_votes(Path(settings.votes_path), found["usage"], path)
        frame = apply_votes(frame, votes, settings=settings)
    return Source("fer2013", frame, _csv_pictures(path))


def read_fer2013_parquet(settings: DataSettings) -> Source:
    """Read FER2013 with FER+ votes from one Parquet file; splits as in the csv reader.

    Columns: ``index`` (row of the original csv), ``image`` (encoded picture), ``label``,
    ``usage``, ``image_src`` (rows other than 1 are JPEG copies and get a reason) and ``fp_*``
    (the ten votes).

    Raises
    ------
    FercleanError
        If the file cannot be read or lacks a column.
    """
    path = Path(settings.path or "")
    file = open_parquet(path, (*_PARQUET_COLUMNS, "image"))
    batches = read_parquet_batches(file, path, list(_PARQUET_COLUMNS))
    pieces = [batch.to_pandas() for batch in batches] or [
        file.schema_arrow.empty_table().to_pandas()
    ]
    found = pd.concat(pieces, ignore_index=True)
    if not pd.api.types.is_integer_dtype(found["index"]):
        raise FercleanError(f"{path}: column 'index' must hold integers, the original row numbers")
    frame = _rows(found["label"], found["usage"], found["index"], path, settings)
    frame = apply_votes(frame, parse_votes(found[list(_PARQUET_VOTES)]), settings=settings)
    copy = found["image_src"].ne(_LOSSLESS)
    reasons = copy.map({True: "not a lossless picture (image_src is not 1)", False: None})
    frame["reason"] = first_reason(reasons.astype(object), frame["reason"])
    return Source("fer2013", frame, _parquet_pictures(file, path, ~copy.to_numpy(dtype=bool)))


def _rows(
    codes: pd.Series, usage: pd.Series, numbers: pd.Series, path: Path, settings: DataSettings
) -> pd.DataFrame:
    names = codes.map({code: _class_of(code) for code in codes.unique()}).astype(object)
    given, label_reasons = resolve_labels(names, label_lookup(settings.classes))
    with_private = usage.eq("PrivateTest").any()
    splits = {
        "Training": "train",
        "PublicTest": "val" if with_private else "test",
        "PrivateTest": "test",
    }
    split = usage.map(splits).astype(object)
    usage_reasons = pd.Series(
        [
            None if known else f"unknown Usage: {str(name)[:60]!r}"
            for known, name in zip(split.notna(), usage, strict=True)
        ],
        dtype=object,
    )
    # When the FER+ winner is the label, FER2013's own need not be readable.
    own = settings.labels == "given"
    reasons = first_reason(usage_reasons, label_reasons) if own else usage_reasons
    ids = [f"fer2013-{int(number):05d}" for number in numbers]
    return pd.DataFrame(
        {
            "sample_id": ids,
            "path": [f"{path.name}#{int(number)}" for number in numbers],
            "split": split,
            "given": given,
            "reason": reasons,
        }
    )


def _class_of(code: object) -> str | None:
    """Return the class of one FER2013 number, or the text itself for the quarantine reason."""
    if pd.isna(code):  # type: ignore[call-overload]
        return None
    text = str(code).strip()
    match = _CODE.fullmatch(text)
    return FER2013_ORDER[int(match[1])] if match else f"{text} (no number 0 to 6)" if text else None


def _read_votes(votes_path: Path, usage: pd.Series, path: Path) -> np.ndarray:
    rows = list(read_csv_rows(votes_path, ("Usage", *VOTE_COLUMNS)))
    votes = pd.DataFrame(rows, columns=["Usage", *VOTE_COLUMNS], dtype=object)
    if len(votes) != len(usage):
        raise FercleanError(
            f"{votes_path} has {len(votes)} rows but {path} has {len(usage)}: "
            "votes belong to pictures by row, so both must be the complete originals"
        )
    other = np.flatnonzero(votes["Usage"].to_numpy() != usage.to_numpy())
    if len(other):
        raise FercleanError(
            f"{votes_path}: Usage of row {other[0]} differs from that of {path}: "
            "the files must be in the same, original order"
        )
    return parse_votes(votes[list(VOTE_COLUMNS)])


def _csv_pictures(path: Path) -> Iterator[tuple[int, bytes | PictureError]]:
    for row, (text,) in enumerate(read_csv_rows(path, ("pixels",))):
        try:
            yield row, _pixels_to_png(text or "")
        except PictureError as error:
            yield row, error


def _pixels_to_png(text: str) -> bytes:
    try:
        # int() takes other scripts' digits, signs and 1_0, too; no file of pixels has them.
        if text and not (text.isascii() and text.replace(" ", "0").isdecimal()):
            raise ValueError
        values = bytes(map(int, text.split()))
    except ValueError:
        raise PictureError("unreadable pixels: not all are integers from 0 to 255") from None
    if len(values) != _SIZE * _SIZE:
        raise PictureError(f"unreadable pixels: expected {_SIZE * _SIZE}, found {len(values)}")
    stream = io.BytesIO()
    Image.frombytes("L", (_SIZE, _SIZE), values).save(stream, "PNG")
    return stream.getvalue()


def _parquet_pictures(
    file: pq.ParquetFile, path: Path, wanted: np.ndarray
) -> Iterator[tuple[int, bytes | PictureError]]:
    row = 0
    for batch in read_parquet_batches(file, path, ["image"]):
        for picture in batch.column(0):
            if wanted[row]:
                data = picture.as_py()
                known = isinstance(data, bytes)
                yield row, data if known else PictureError("no picture in the row")
            row += 1
