"""Step ``align``: find the face of every picture, warp it to the template, pack all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ferclean.config.align import AlignSettings
from ferclean.config.load import Settings
from ferclean.datasets.pictures import PictureError, decode_picture
from ferclean.errors import FercleanError
from ferclean.faces.cut import CutFace, cut_faces
from ferclean.faces.detect import LANDMARKS, FaceDetector
from ferclean.machine import given_threads
from ferclean.progress import say, track
from ferclean.tables.atomic import write_csv, write_json
from ferclean.tables.face_packs import Encoding, encode_face, face_pack_writer
from ferclean.tables.labels import SPLITS, LabelTable, read_label_table, write_label_table
from ferclean.tables.packs import EncodedPack
from ferclean.threads import ordered_map

if TYPE_CHECKING:
    from ferclean.faces.mtcnn import MtcnnDetector

NO_FACE = "no face found"
_BOX_COLUMNS = ("box_x1", "box_y1", "box_x2", "box_y2")
_LANDMARK_COLUMNS = tuple(f"landmark_{name}_{axis}" for name in LANDMARKS for axis in "xy")
# Samples handed to a worker at once (so that equal sizes meet in one detector call), and the
# decoded pixels at which it stops to detect: 32 million hold 96 MB.
_SAMPLES_PER_JOB = 64
_PIXELS_PER_JOB = 32_000_000
# Jobs at a time: one a thread that the step is given. Rule `align` asks for eight; more mostly wait
# for Python's lock.
_MOST_WORKERS = 8


@dataclass(frozen=True)
class _Aligned:
    """One sample's result: a face as it is packed, or the reason why there is none."""

    cut: CutFace
    reason: str | None
    packed: bytes | None = None


def align(*, samples: Path, pictures: Path, output: Path, settings: Settings) -> None:
    """Detect, align and pack the faces of all samples.

    Parameters
    ----------
    samples : Path
        ``samples.parquet`` of ingest.
    pictures : Path
        ``pictures.arrow`` of ingest.
    output : Path
        Folder for ``faces.pack`` (row i belongs to row i of) ``samples.parquet``,
        ``quarantine.csv`` and ``summary.json``.
    settings : Settings
        Sections ``data`` and ``align``.

    Raises
    ------
    FercleanError
        If a file is missing or broken, a sample has no picture in the pack, no sample is left,
        or a picture shows no face while ``align.no_face`` is ``error``.
    """
    options: AlignSettings = settings.align
    table, pack = read_label_table(samples), EncodedPack(pictures)
    aligned = _align_all(table, pack, options, settings.data.max_pixels)
    results = []
    channels = 1 if options.color == "grey" else 3
    with face_pack_writer(
        output / "faces.pack", size=options.size, channels=channels, encoding=options.pack
    ) as writer:
        for row, result in enumerate(track(aligned, "align", len(table))):
            if result.packed is not None:
                writer.append(result.packed)
            elif result.reason == NO_FACE and options.no_face == "error":
                raise _no_face_error(table, row)
            results.append(replace(result, packed=None))
        if len(table) and not writer.rows:
            raise FercleanError(
                f"none of the {len(table)} pictures of {samples} gave a face "
                f"(first reason: {results[0].reason}); see section align of params.yaml"
            )
    _write_tables(table, results, output, options)


def _align_all(
    table: LabelTable, pack: EncodedPack, options: AlignSettings, max_pixels: int
) -> Iterator[_Aligned]:
    detector = _make_detector(options)
    workers = min(given_threads(), _MOST_WORKERS)
    names = table.frame["sample_id"].tolist()
    chunks = [names[i : i + _SAMPLES_PER_JOB] for i in range(0, len(names), _SAMPLES_PER_JOB)]

    def process(chunk: list[str]) -> list[_Aligned]:
        data = (pack.picture(name) for name in chunk)
        found = _align_encoded(data, detector=detector, options=options, max_pixels=max_pixels)
        return [_packed(result, options.pack) for result in found]

    return (result for results in ordered_map(process, chunks, workers) for result in results)


def _align_encoded(
    data: Iterable[bytes],
    *,
    detector: FaceDetector | None,
    options: AlignSettings,
    max_pixels: int,
) -> list[_Aligned]:
    """Decode and align pictures, holding at most some 32 million decoded pixels at a time."""
    results: list[_Aligned] = []
    waiting: list[np.ndarray | str] = []
    pixels = 0
    for encoded in data:
        waiting.append(_decode(encoded, max_pixels))
        pixels += _pixels(waiting[-1])
        if pixels >= _PIXELS_PER_JOB:
            results += _align_decoded(waiting, detector, options)
            waiting, pixels = [], 0
    return results + _align_decoded(waiting, detector, options)


def _decode(encoded: bytes, max_pixels: int) -> np.ndarray | str:
    try:
        return decode_picture(encoded, max_pixels=max_pixels)
    except PictureError as error:
        return error.reason


def _pixels(picture: np.ndarray | str) -> int:
    return 0 if isinstance(picture, str) else picture.shape[0] * picture.shape[1]


def _align_decoded(
    decoded: list[np.ndarray | str], detector: FaceDetector | None, options: AlignSettings
) -> list[_Aligned]:
    readable = [picture for picture in decoded if not isinstance(picture, str)]
    cuts = iter(cut_faces(readable, detector=detector, settings=options))
    results = []
    for picture in decoded:
        if isinstance(picture, str):
            results.append(_Aligned(CutFace(None), picture))
        else:
            cut = next(cuts)
            results.append(_Aligned(cut, NO_FACE if cut.pixels is None else None))
    return results


def _packed(result: _Aligned, encoding: Encoding) -> _Aligned:
    pixels = result.cut.pixels
    if pixels is None:
        return result
    cut = replace(result.cut, pixels=None)
    return replace(result, cut=cut, packed=encode_face(pixels, encoding))


def _make_detector(options: AlignSettings) -> MtcnnDetector | None:
    if options.detector == "already_aligned":
        return None
    try:
        from ferclean.faces.mtcnn import MtcnnDetector

        detector = MtcnnDetector(
            min_face_size=options.min_face_size,
            batch_size=options.batch_size,
            longest_side=options.detection_side,
            threads=1,  # the jobs of ordered_map run side by side
        )
    except ModuleNotFoundError as error:
        raise FercleanError(
            f"align.detector mtcnn needs the package {error.name}: install ferclean[prepare], or "
            "set align.detector to already_aligned"
        ) from None
    say(f"align: MTCNN on {detector.device}")
    return detector


def _no_face_error(table: LabelTable, row: int) -> FercleanError:
    sample = table.frame.iloc[row]
    return FercleanError(
        f"no face found in sample {sample['sample_id']!r} ({sample['path']}): remove it, or set "
        "align.no_face to drop or centre_crop"
    )


def _write_tables(
    table: LabelTable, results: list[_Aligned], output: Path, options: AlignSettings
) -> None:
    kept = np.array([result.reason is None for result in results], dtype=bool)
    aligned = table.take(kept)
    cuts = [result.cut for result in results if result.reason is None]
    quarantine = table.frame.loc[~kept, ["sample_id", "path"]]
    quarantine = quarantine.assign(reason=[r.reason for r in results if r.reason is not None])
    if len(aligned) + len(quarantine) != len(table):
        raise RuntimeError("rows in must equal rows kept and rows quarantined")
    face_row = np.arange(len(aligned), dtype=np.int64)
    frame = aligned.frame.assign(face_row=face_row, **_face_columns(cuts))
    write_label_table(LabelTable(frame, table.classes, table.dataset), output / "samples.parquet")
    write_csv(output / "quarantine.csv", quarantine)
    write_json(output / "summary.json", _summary(table, results, options))


def _face_columns(cuts: list[CutFace]) -> dict[str, Any]:
    """Return the columns that align adds; null where no face was looked for or found."""
    values = np.full((len(cuts), len(_BOX_COLUMNS) + len(_LANDMARK_COLUMNS) + 1), np.nan)
    for row, cut in zip(values, cuts, strict=True):
        if cut.chosen is not None:
            row[:4] = cut.chosen.boxes[0]
            row[4:-1] = cut.chosen.landmarks[0].ravel()
            row[-1] = cut.chosen.scores[0]
    names = (*_BOX_COLUMNS, *_LANDMARK_COLUMNS, "detection_score")
    columns: dict[str, Any] = dict(zip(names, values.T, strict=True))
    columns["faces_found"] = pd.array([cut.faces_found for cut in cuts], dtype="Int64")
    return columns


def _summary(table: LabelTable, results: list[_Aligned], options: AlignSettings) -> dict[str, Any]:
    reasons = Counter(result.reason for result in results if result.reason is not None)
    counts = Counter(r.cut.faces_found for r in results if r.cut.faces_found is not None)
    kept = len(results) - reasons.total()
    by_split = {
        split: [
            result for result, inside in zip(results, table.in_split(split), strict=True) if inside
        ]
        for split in SPLITS
    }
    return {
        "detector": options.detector,
        "size": options.size,
        "color": options.color,
        "pack": options.pack,
        "margin": options.margin,
        "rows": len(results),
        "kept": kept,
        "quarantined": reasons.total(),
        "centre_cropped": sum(r.reason is None and r.cut.faces_found == 0 for r in results),
        "reasons": {reason: reasons[reason] for reason in sorted(reasons)},
        "faces_found": {str(count): counts[count] for count in sorted(counts)},
        "splits": {split: _split_summary(rows) for split, rows in by_split.items() if rows},
    }


def _split_summary(results: list[_Aligned]) -> dict[str, Any]:
    """Return counts; the detection rate is over the pictures in which faces were looked for."""
    looked = [result for result in results if result.cut.faces_found is not None]
    detected = sum(result.cut.chosen is not None for result in looked)
    return {
        "rows": len(results),
        "kept": sum(result.reason is None for result in results),
        "detected": detected if looked else None,
        "detection_rate": detected / len(looked) if looked else None,
    }
