"""Bring faces from a pack to the training device, decoding on the way where they are compressed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.machine import usable_memory
from ferclean.tables.face_packs import EncodedFaces, Faces
from ferclean.threads import ordered_map

# Of what is free on the device, or of a machine's memory: the rest is for networks and others.
_DEVICE_SHARE, _HOST_SHARE = 0.5, 0.25
T = TypeVar("T")


@dataclass(frozen=True)
class _Copied:
    """Bytes on the device, and what tells when they have arrived (``None``: they have)."""

    pictures: Tensor
    arrived: torch.cuda.Event | None


class FaceReader:
    """Reads faces of a pack in threads, while the device works on earlier ones.

    Parameters
    ----------
    faces : Faces
        ``(N, H, W, C)`` uint8.
    device : torch.device
        Where they are wanted.
    settings : TrainingSettings
        ``cpu_threads`` read and decode; ``decode`` says where.

    Raises
    ------
    FercleanError
        If ``training.decode`` is ``device`` without a GPU or without a pack of JPEG pictures.
    """

    def __init__(self, faces: Faces, *, device: torch.device, settings: TrainingSettings) -> None:
        self._faces, self._device = faces, device
        self._threads = settings.cpu_threads
        self._on_device = settings.decode == "device"
        jpeg = isinstance(faces, EncodedFaces) and faces.are_jpeg
        if self._on_device and (device.type != "cuda" or not jpeg):
            raise FercleanError(
                "training.decode device needs a GPU and align.pack jpeg: set training.decode to "
                "processor"
            )
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def read(self, walk: Iterable[T], rows_of: Callable[[T], np.ndarray]) -> Iterator[Tensor]:
        """Yield ``(B, C, H, W)`` uint8 on the device for every item of a walk, in order.

        Parameters
        ----------
        walk : iterable
            Steps; taken some steps ahead.
        rows_of : callable
            ``(B,)`` int64 rows of the pack that a step wants.
        """
        under_way: deque[_Copied] = deque()
        for host in ordered_map(lambda step: self._load(rows_of(step)), walk, self._threads):
            under_way.append(self._copy(host))
            if len(under_way) > 1:  # the next step's bytes travel while this one is worked on
                yield self._ready(under_way.popleft())
        while under_way:
            yield self._ready(under_way.popleft())

    def _load(self, rows: np.ndarray) -> Tensor | list[Tensor]:
        """Read some faces into memory that the device can copy from (in a thread)."""
        if self._on_device:
            encoded = cast(EncodedFaces, self._faces)
            return [
                torch.frombuffer(bytearray(encoded.encoded(int(row))), dtype=torch.uint8)
                for row in rows
            ]
        part = np.ascontiguousarray(self._faces[rows].transpose(0, 3, 1, 2))
        pictures = torch.from_numpy(part)
        return pictures.pin_memory() if self._stream else pictures

    def _copy(self, host: Tensor | list[Tensor]) -> _Copied:
        if isinstance(host, list):
            return _Copied(_decode_on_device(host, self._device), None)
        if self._stream is None:
            return _Copied(host, None)
        with torch.cuda.stream(self._stream):
            pictures = host.to(self._device, non_blocking=True)
            return _Copied(pictures, self._stream.record_event())

    def _ready(self, copied: _Copied) -> Tensor:
        if copied.arrived is not None:
            working = torch.cuda.current_stream(self._device)
            working.wait_event(copied.arrived)
            copied.pictures.record_stream(working)
        return copied.pictures


def stays_on_device(
    shape: tuple[int, ...], device: torch.device, pictures: str, *, processes: int = 1
) -> bool:
    """Tell whether pictures of this shape are kept on the device for a whole run.

    Parameters
    ----------
    shape : tuple of int
        Of the uint8 bytes.
    device : torch.device
    pictures : {"auto", "resident", "streamed"}
        ``training.pictures``; ``auto`` keeps what takes at most half of the GPU's free memory, or
        a quarter of what the machine (container, SLURM job) has; nothing where that is unknown.
    processes : int
        That share the machine's memory, each with pictures of its own.
    """
    if pictures != "auto":
        return pictures == "resident"
    size = float(np.prod(shape, dtype=np.float64))
    if device.type == "cuda":
        return size <= _DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]
    return size * processes <= _HOST_SHARE * (usable_memory() or 0)


def _decode_on_device(encoded: list[Tensor], device: torch.device) -> Tensor:
    # Imported here: a training job that decodes on the processor does without torchvision.
    from torchvision.io import decode_jpeg

    try:
        return torch.stack(cast(list[Tensor], decode_jpeg(encoded, device=device)))
    except RuntimeError as error:  # a broken face, one of another size, or no decoder
        reason = str(error).splitlines()[0]
        raise FercleanError(
            f"the GPU cannot decode the face pack ({reason}): set training.decode to processor, "
            "which names the face if one is broken"
        ) from None
