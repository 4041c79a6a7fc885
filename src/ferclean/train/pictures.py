"""The pictures of a run as bytes, kept on the training device or read step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.tables.face_packs import Faces
from ferclean.train.augment import augment, normalise
from ferclean.train.reading import FaceReader, stays_on_device

_READ_ROWS = 512

Bytes = tuple[torch.Tensor, torch.Tensor]  # rows (B,) int64 and pictures (B, C, H, W) uint8


class Pictures:
    """Some rows of a face pack; batches of them are built on the training device.

    Whether the bytes stay there or are read step by step (``training.pictures``) changes no bit
    of a batch.

    Parameters
    ----------
    faces : Faces
        ``(N, H, W, C)`` uint8, memory-mapped, raw or compressed.
    rows : numpy.ndarray
        ``(n,)`` positions to keep, in the order in which they are then addressed as 0..n-1.
    device : torch.device
        Where batches are built.
    settings : TrainingSettings
        Augmentation, normalisation, and where the bytes lie.
    """

    def __init__(
        self, faces: Faces, rows: np.ndarray, *, device: torch.device, settings: TrainingSettings
    ) -> None:
        _, height, width, channels = faces.shape
        self._shape = (len(rows), channels, height, width)
        self._rows, self._device = rows, device
        self._where, self._processes = settings.pictures, settings.processes
        self._reader = FaceReader(faces, device=device, settings=settings)
        self._augment, self._strong = settings.augment, settings.strong_augment
        self._mean = _channel_values("mean", settings.normalise_mean, channels, device)
        self._scale = _channel_values("scale", settings.normalise_scale, channels, device)

    def __len__(self) -> int:
        return len(self._rows)

    def fetch(self, walk: Iterable[Mapping[str, np.ndarray]]) -> Iterator[dict[str, Bytes]]:
        """Yield rows and bytes of every step of a walk, on the device.

        Parameters
        ----------
        walk : iterable of mapping of str to numpy.ndarray
            ``(B,)`` int64 positions in 0..n-1 of each of a step's streams, the same names in
            every step.
        """
        if self._resident is not None:
            for step in walk:
                index = {name: torch.from_numpy(r).to(self._device) for name, r in step.items()}
                yield {name: (rows, self._resident[rows]) for name, rows in index.items()}
            return
        steps: list[Mapping[str, np.ndarray]] = []

        def noted() -> Iterator[np.ndarray]:
            for step in walk:
                steps.append(step)
                yield self._rows[np.concatenate(list(step.values()))]

        for pictures in self._reader.read(noted(), lambda rows: rows):
            step = steps.pop(0)
            parts = pictures.split([len(rows) for rows in step.values()])
            yield {
                name: (torch.from_numpy(rows).to(self._device), part)
                for (name, rows), part in zip(step.items(), parts, strict=True)
            }

    def views(
        self,
        pictures: torch.Tensor,
        count: int,
        generator: torch.Generator,
        *,
        strong: bool = False,
    ) -> tuple[torch.Tensor, ...]:
        """Return `count` independently augmented, normalised views of fetched pictures.

        Parameters
        ----------
        pictures : torch.Tensor
            ``(B, C, H, W)`` uint8 on the device, of :meth:`fetch`.
        count : int
            Number of views.
        generator : torch.Generator
            On the device.
        strong : bool
            Augment by ``training.strong_augment`` instead of ``training.augment``.

        Returns
        -------
        tuple of torch.Tensor
            Each ``(B, C, H, W)`` float32 in channels-last memory.
        """
        key, settings = ("strong_augment", self._strong) if strong else ("augment", self._augment)
        return tuple(
            self._normalised(
                augment(
                    pictures,
                    settings=settings,
                    generator=generator,
                    fill=255.0 * self._mean,  # 0 once normalised
                    where=f"training.{key}",
                )
            )
            for _ in range(count)
        )

    def plain(self, batch_size: int, *, first: int = 0, every: int = 1) -> Iterator[torch.Tensor]:
        """Yield all pictures in order, normalised and not augmented, or every so-many-th batch."""
        starts = range(first * batch_size, len(self), every * batch_size)
        for pictures in self._in_order(starts, batch_size):
            yield self._normalised(pictures)

    @cached_property
    def _resident(self) -> torch.Tensor | None:
        """The bytes as ``(n, C, H, W)``, read when first needed, or ``None`` to stream them."""
        if not stays_on_device(self._shape, self._device, self._where, processes=self._processes):
            return None
        kept = torch.empty(self._shape, dtype=torch.uint8, device=self._device)
        start = 0
        for part in self._read(range(0, len(self), _READ_ROWS), _READ_ROWS):
            kept[start : start + len(part)] = part
            start += len(part)
        return kept

    def _in_order(self, starts: range, batch_size: int) -> Iterator[torch.Tensor]:
        kept = self._resident
        if kept is None:
            return self._read(starts, batch_size)
        return (kept[start : start + batch_size] for start in starts)

    def _read(self, starts: range, batch_size: int) -> Iterator[torch.Tensor]:
        return self._reader.read(starts, lambda start: self._rows[start : start + batch_size])

    def _normalised(self, pictures: torch.Tensor) -> torch.Tensor:
        scaled = normalise(pictures, mean=self._mean, scale=self._scale)
        return scaled.contiguous(memory_format=torch.channels_last)


def _channel_values(
    name: str, values: tuple[float, ...], channels: int, device: torch.device
) -> torch.Tensor:
    if len(values) not in (1, channels):
        raise FercleanError(
            f"training.normalise_{name} must hold one number or one for each of the {channels} "
            f"channels, found {len(values)}"
        )
    return torch.tensor(values, device=device).view(-1, 1, 1)
