"""One door to all noise protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ferclean.config.noise import NoiseSettings
from ferclean.errors import FercleanError, unknown_name
from ferclean.noise import protocols
from ferclean.noise.instance import channel_statistics, instance_dependent
from ferclean.noise.streams import noise_seed
from ferclean.tables.face_packs import Faces

NOISY_SPLITS = ("train", "val")


@dataclass(frozen=True)
class Draw:
    """All that a protocol may use to change the labels of one split.

    Attributes
    ----------
    codes : numpy.ndarray
        ``(n,)`` int64 labels of the split, -1 where missing.
    classes : tuple of str
        Class names.
    rate : float
        Nominal rate.
    generator : numpy.random.Generator
        The split's own stream.
    settings : NoiseSettings
        Section ``noise``.
    face_rows : numpy.ndarray
        ``(n,)`` positions of the split's pictures in `pictures`.
    statistics_rows : numpy.ndarray
        Positions of the pictures whose mean and deviation standardise all pictures.
    shared_seed : numpy.random.SeedSequence
        For what the splits have in common.
    pictures : numpy.ndarray, optional
        ``(M, H, W, C)`` uint8, all of them.
    file_codes : numpy.ndarray, optional
        ``(n,)`` labels from a file, -1 where it says nothing.
    """

    codes: np.ndarray
    classes: tuple[str, ...]
    rate: float
    generator: np.random.Generator
    settings: NoiseSettings
    face_rows: np.ndarray
    statistics_rows: np.ndarray
    shared_seed: np.random.SeedSequence
    pictures: Faces | None = None
    file_codes: np.ndarray | None = None


def _none(draw: Draw) -> np.ndarray:
    return draw.codes.copy()


def _symmetric(draw: Draw) -> np.ndarray:
    return protocols.symmetric(
        draw.codes, len(draw.classes), rate=draw.rate, generator=draw.generator
    )


def _symmetric_inclusive(draw: Draw) -> np.ndarray:
    return protocols.symmetric_inclusive(
        draw.codes, len(draw.classes), rate=draw.rate, generator=draw.generator
    )


def _asymmetric(draw: Draw) -> np.ndarray:
    targets = map_targets(draw.settings.class_map(), draw.classes)
    return protocols.class_conditional(
        draw.codes, targets, rate=draw.rate, generator=draw.generator
    )


def _pairflip(draw: Draw) -> np.ndarray:
    targets = protocols.pairflip_targets(len(draw.classes))
    return protocols.class_conditional(
        draw.codes, targets, rate=draw.rate, generator=draw.generator
    )


def _instance(draw: Draw) -> np.ndarray:
    if draw.pictures is None:
        raise ValueError("instance noise needs the pictures")
    return instance_dependent(
        draw.codes,
        draw.pictures,
        len(draw.classes),
        rows=draw.face_rows,
        statistics=channel_statistics(draw.pictures, draw.statistics_rows),
        rate=draw.rate,
        spread=draw.settings.instance_spread,
        generator=draw.generator,
        projection_seed=draw.shared_seed,
    )


def _file(draw: Draw) -> np.ndarray:
    if draw.file_codes is None:
        raise ValueError("noise from a file needs its labels")
    replaced = (draw.codes >= 0) & (draw.file_codes >= 0)
    return np.where(replaced, draw.file_codes, draw.codes)


PROTOCOLS: dict[str, Callable[[Draw], np.ndarray]] = {
    "none": _none,
    "symmetric": _symmetric,
    "symmetric_inclusive": _symmetric_inclusive,
    "asymmetric": _asymmetric,
    "pairflip": _pairflip,
    "instance": _instance,
    "file": _file,
}


def map_targets(class_map: dict[str, str], classes: Sequence[str]) -> np.ndarray:
    """Turn a map of class names into target codes.

    Parameters
    ----------
    class_map : dict of str to str
        Where each class goes; absent classes stay.
    classes : sequence of str
        Class names in order.

    Returns
    -------
    numpy.ndarray
        ``(K,)`` int64.

    Raises
    ------
    FercleanError
        For a name that is none of the classes.
    """
    position = {name: code for code, name in enumerate(classes)}
    targets = np.arange(len(classes), dtype=np.int64)
    for source, target in class_map.items():
        for name in (source, target):
            if name not in position:
                raise FercleanError(
                    f"noise.asymmetric_map: {name!r} is none of the classes "
                    f"({', '.join(classes)}); give class: class pairs of this data set"
                )
        targets[position[source]] = position[target]
    return targets


def inject_noise(
    codes: np.ndarray,
    splits: np.ndarray,
    *,
    kind: str,
    rate: float,
    seed: int,
    classes: Sequence[str],
    settings: NoiseSettings,
    pictures: Faces | None = None,
    face_rows: np.ndarray | None = None,
    file_codes: np.ndarray | None = None,
) -> np.ndarray:
    """Draw the observed labels of a whole table.

    Training and validation rows are changed, each split from its own stream; test rows never.
    A row's draw depends on seed, kind, rate and the row's position within its split.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(N,)`` given labels in table order (sorted by ``sample_id``), -1 where missing.
    splits : numpy.ndarray
        ``(N,)`` names of splits.
    kind : str
        A key of :data:`PROTOCOLS`.
    rate : float
        Nominal rate in ``[0, 1]``; unused by ``none`` and ``file``.
    seed : int
        Non-negative.
    classes : sequence of str
        Class names.
    settings : NoiseSettings
        Section ``noise``.
    pictures : numpy.ndarray, optional
        ``(M, H, W, C)`` uint8, for ``instance``.
    face_rows : numpy.ndarray, optional
        ``(N,)`` position of each row's picture, 0..N-1 if absent.
    file_codes : numpy.ndarray, optional
        ``(N,)`` labels, for ``file``.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64.

    Raises
    ------
    FercleanError
        For an unknown kind, a rate or seed out of range, or too few classes.
    """
    _check_request(kind, rate, seed, classes)
    observed = np.asarray(codes, dtype=np.int64).copy()
    positions = np.arange(len(observed)) if face_rows is None else np.asarray(face_rows)
    training = splits == "train"
    for split in NOISY_SPLITS:
        rows = np.flatnonzero(splits == split)
        stream = noise_seed(seed=seed, kind=kind, rate=rate, stream=split)
        draw = Draw(
            codes=observed[rows],
            classes=tuple(classes),
            rate=float(rate),
            generator=np.random.default_rng(stream),
            settings=settings,
            face_rows=positions[rows],
            statistics_rows=np.sort(positions[training if training.any() else rows]),
            shared_seed=noise_seed(seed=seed, kind=kind, rate=rate, stream="shared"),
            pictures=pictures,
            file_codes=None if file_codes is None else file_codes[rows],
        )
        observed[rows] = PROTOCOLS[kind](draw)
    return observed


def _check_request(kind: str, rate: float, seed: int, classes: Sequence[str]) -> None:
    if kind not in PROTOCOLS:
        raise unknown_name("noise kind", kind, PROTOCOLS)
    if not 0 <= rate <= 1:
        raise FercleanError(f"the noise rate must be between 0 and 1, found {rate}")
    if seed < 0:
        raise FercleanError(f"the noise seed must be at least 0, found {seed}")
    if len(classes) < 2 and kind not in ("none", "file"):
        raise FercleanError(f"{kind} noise needs at least two classes, found {len(classes)}")
