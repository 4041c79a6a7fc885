"""``ferclean predict``: every face in every photograph, and what a model says of it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ferclean.config.align import AlignSettings
from ferclean.config.data import DataSettings
from ferclean.datasets.folders import printable_name
from ferclean.datasets.pictures import PictureError
from ferclean.errors import FercleanError
from ferclean.export.names import distinct_names
from ferclean.faces.cut import cut_every_face
from ferclean.faces.detect import FaceDetector, Faces
from ferclean.faces.select import usable_faces
from ferclean.faces.warp import centre_square, to_color
from ferclean.predict.annotate import annotated
from ferclean.predict.photos import decode_photo, find_photos
from ferclean.predict.results import FaceResult, PhotoResult, table_columns, table_rows
from ferclean.progress import say, track
from ferclean.steps.model_files import read_model
from ferclean.steps.run_places import only_model
from ferclean.steps.trained_model import TrainedModel
from ferclean.tables.atomic import atomic_path
from ferclean.threads import ordered_map

__all__ = ["Prediction", "predict", "table_columns", "table_rows"]

_RESULTS = Path("results")
_MAX_PIXELS = DataSettings().max_pixels
# Photographs, and decoded pixels, that are looked at together: 32 million hold 96 MB.
_PHOTOS_TOGETHER, _PIXELS_TOGETHER = 64, 32_000_000
_DECODERS = 2
_QUALITY = 92


@dataclass(frozen=True)
class Prediction:
    """Results as they come, and what they speak of.

    Attributes
    ----------
    classes : tuple of str
        The model's order.
    doubts : tuple of str
        Names of the uncertainties.
    photos : iterator of PhotoResult
        In the order in which the photographs were named.
    """

    classes: tuple[str, ...]
    doubts: tuple[str, ...]
    photos: Iterator[PhotoResult]


def predict(
    photos: Sequence[str],
    *,
    model: Path | None,
    aligned: bool = False,
    margin: float | None = None,
    annotate: Path | None = None,
    device: str = "auto",
) -> Prediction:
    """Find the faces of photographs and predict their expressions.

    Parameters
    ----------
    photos : sequence of str
        Files, folders and patterns, see :func:`~ferclean.predict.photos.find_photos`.
    model : Path, optional
        See :func:`~ferclean.steps.model_files.read_model`; without it the one model below
        ``results``.
    aligned : bool
        Take each photograph as a face already cut: its largest centred square.
    margin : float, optional
        Context around the face, instead of that of training.
    annotate : Path, optional
        New or empty folder for the photographs with boxes and labels.
    device : str
        ``auto``, ``cpu`` or ``cuda``.

    Returns
    -------
    Prediction
        A photograph that cannot be read, or shows no face, is a result as well.

    Raises
    ------
    FercleanError
        If a name stands for no file, the model cannot be read, or `annotate` holds files.
    """
    files = find_photos(photos)
    if annotate is not None:
        _check_folder(annotate)
    trained = read_model(model or only_model(_RESULTS), device, margin=margin)
    _say_what_is_done(trained, aligned=aligned, margin=margin)
    looking = _Looking(trained, None if aligned else _make_detector(trained))
    results = looking.results(files, _annotator(files, annotate))
    blank = np.zeros((1, *looking.face_shape), dtype=np.uint8)
    _, doubts = trained.predict(blank)
    return Prediction(trained.facts.classes, tuple(doubts), track(results, "predict", len(files)))


class _Looking:
    """A detector and a model at work on photographs."""

    def __init__(self, model: TrainedModel, detector: FaceDetector | None) -> None:
        self._model, self._detector = model, detector
        self._cut: AlignSettings = model.facts.preprocessing.align_settings()

    @property
    def face_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a face."""
        return self._cut.size, self._cut.size, self._model.facts.preprocessing.channels

    def results(self, files: Sequence[Path], annotator: _Annotator | None) -> Iterator[PhotoResult]:
        """Yield what is said of each photograph, and draw it."""
        decoded = ordered_map(_decode, files, _DECODERS)
        for names, pictures in _together(zip(files, decoded, strict=True)):
            for name, picture, said in zip(names, pictures, self._look(pictures), strict=True):
                path = printable_name(str(name))
                if isinstance(picture, PictureError):
                    yield PhotoResult(path, "unreadable", picture.reason)
                    continue
                size = (picture.shape[1], picture.shape[0])
                result = PhotoResult(path, "faces" if said else "no_face", None, size, tuple(said))
                if annotator is not None:
                    annotator.draw(name, picture, result)
                yield result

    def _look(self, pictures: Sequence[np.ndarray | PictureError]) -> list[list[FaceResult]]:
        """Return the faces of each picture; none of one that cannot be read."""
        readable = [p for p in pictures if not isinstance(p, PictureError)]
        if self._detector is None:
            found: list[Faces | None] = [None] * len(readable)
            crops = [[centre_square(to_color(p, self._cut.color), size=self._cut.size)]
                     for p in readable]  # fmt: skip
        else:
            detected = [usable_faces(faces) for faces in self._detector.detect(readable)]
            found = list(detected)
            pairs = zip(readable, detected, strict=True)
            crops = [cut_every_face(picture, faces, self._cut) for picture, faces in pairs]
        said = iter(self._say([crop for part in crops for crop in part]))
        told = iter(
            [
                [_face_result(next(said), faces, row) for row in range(len(part))]
                for part, faces in zip(crops, found, strict=True)
            ]
        )
        return [[] if isinstance(picture, PictureError) else next(told) for picture in pictures]

    def _say(self, crops: list[np.ndarray]) -> list[FaceResult]:
        if not crops:
            return []
        probabilities, doubts = self._model.predict(np.stack(crops))
        classes = self._model.facts.classes
        return [
            FaceResult(
                dict(zip(classes, row.astype(float).tolist(), strict=True)),
                {name: float(values[number]) for name, values in doubts.items()},
            )
            for number, row in enumerate(probabilities)
        ]


def _face_result(said: FaceResult, faces: Faces | None, row: int) -> FaceResult:
    if faces is None:
        return said
    points = tuple((float(x), float(y)) for x, y in faces.landmarks[row])
    box = tuple(faces.boxes[row].tolist())
    return FaceResult(said.scores, said.uncertainty, box, points, float(faces.scores[row]))


def _decode(file: Path) -> np.ndarray | PictureError:
    return decode_photo(file, max_pixels=_MAX_PIXELS)


def _together(
    decoded: Iterable[tuple[Path, np.ndarray | PictureError]],
) -> Iterator[tuple[list[Path], list[np.ndarray | PictureError]]]:
    """Gather photographs up to what memory bears."""
    names: list[Path] = []
    pictures: list[np.ndarray | PictureError] = []
    pixels = 0
    for name, picture in decoded:
        names.append(name)
        pictures.append(picture)
        pixels += 0 if isinstance(picture, PictureError) else picture.shape[0] * picture.shape[1]
        if len(names) == _PHOTOS_TOGETHER or pixels >= _PIXELS_TOGETHER:
            yield names, pictures
            names, pictures, pixels = [], [], 0
    if names:
        yield names, pictures


class _Annotator:
    """Writes photographs with boxes and labels into a folder."""

    def __init__(self, files: Sequence[Path], folder: Path) -> None:
        names = distinct_names(printable_name(file.stem) for file in files)
        self._targets = {
            file: folder / f"{name}.jpg" for file, name in zip(files, names, strict=True)
        }

    def draw(self, file: Path, picture: np.ndarray, result: PhotoResult) -> None:
        """Write one photograph, whole or not at all."""
        stream = io.BytesIO()
        Image.fromarray(annotated(picture, result)).save(stream, "JPEG", quality=_QUALITY)
        with atomic_path(self._targets[file]) as temporary:
            temporary.write_bytes(stream.getbuffer())


def _annotator(files: Sequence[Path], folder: Path | None) -> _Annotator | None:
    return None if folder is None else _Annotator(files, folder)


def _check_folder(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FercleanError(f"--annotate must be a new or an empty folder, found {folder}")


def _say_what_is_done(model: TrainedModel, *, aligned: bool, margin: float | None) -> None:
    facts = model.facts
    run = facts.training.get("run") or facts.method
    say(f"{run}: {facts.networks} network(s) of {facts.epochs} epochs, on {model.device.type}")
    if facts.preprocessing.detector == "already_aligned" and not aligned and margin is None:
        say(
            "the model learnt from faces that were cut before, nobody knows how: if its scores "
            "look odd, cut the faces like those and say --aligned, or try another --margin"
        )


def _make_detector(model: TrainedModel) -> FaceDetector:
    try:
        from ferclean.faces.mtcnn import MtcnnDetector

        return MtcnnDetector(device=model.device.type)
    except ModuleNotFoundError as error:
        raise FercleanError(
            f"finding faces needs the package {error.name}: install ferclean[prepare], or say "
            "--aligned if the pictures are cut faces"
        ) from None
