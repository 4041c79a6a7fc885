"""Pictures kept on the training device as bytes; batches are built there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.train.augment import augment, normalise

_READ_ROWS = 4096


class ResidentPictures:
    """Some rows of a face pack on the training device.

    Parameters
    ----------
    faces : numpy.ndarray
        ``(N, H, W, C)`` uint8, usually memory-mapped.
    rows : numpy.ndarray
        ``(n,)`` positions to keep, in the order in which they are then addressed as 0..n-1.
    device : torch.device
        Where batches are built.
    settings : TrainingSettings
        Augmentation and normalisation.
    """

    def __init__(
        self,
        faces: np.ndarray,
        rows: np.ndarray,
        *,
        device: torch.device,
        settings: TrainingSettings,
    ) -> None:
        self._faces, self._rows, self._device = faces, rows, device
        self._augment, self._strong = settings.augment, settings.strong_augment
        self._mean = _channel_values("mean", settings.normalise_mean, faces.shape[3], device)
        self._scale = _channel_values("scale", settings.normalise_scale, faces.shape[3], device)

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def _pictures(self) -> torch.Tensor:
        """The bytes as ``(n, C, H, W)``, read when first needed and without a second copy."""
        _, height, width, channels = self._faces.shape
        shape = (len(self), channels, height, width)
        pictures = torch.empty(shape, dtype=torch.uint8, device=self._device)
        for start in range(0, len(self), _READ_ROWS):
            part = self._faces[self._rows[start : start + _READ_ROWS]].transpose(0, 3, 1, 2)
            pictures[start : start + len(part)] = torch.from_numpy(np.ascontiguousarray(part))
        return pictures

    def views(
        self, rows: torch.Tensor, count: int, generator: torch.Generator, *, strong: bool = False
    ) -> tuple[torch.Tensor, ...]:
        """Return `count` independently augmented, normalised views of some rows.

        Parameters
        ----------
        rows : torch.Tensor
            ``(B,)`` int64 on the device.
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
        if count == 0:
            return ()
        pictures = self._pictures[rows]
        return tuple(
            self._normalised(
                augment(
                    pictures,
                    settings=self._strong if strong else self._augment,
                    generator=generator,
                    fill=255.0 * self._mean,  # 0 once normalised
                )
            )
            for _ in range(count)
        )

    def plain(self, batch_size: int) -> Iterator[torch.Tensor]:
        """Yield all pictures in order, normalised and not augmented."""
        for start in range(0, len(self), batch_size):
            yield self._normalised(self._pictures[start : start + batch_size])

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
