"""MTCNN as a face detector: batches, threads and devices around :mod:`ferclean.faces.cascade`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from PIL import Image

from ferclean.faces.cascade import detect_faces
from ferclean.faces.detect import Faces, equal_size_groups, make_faces

# Pixels of the largest pyramid level in one call: beyond it a CPU's caches overflow and the
# networks run at two thirds of their speed; on a GPU it bounds memory.
_PIXELS_PER_CALL = {"cpu": 80_000, "cuda": 16_000_000}
# Channels are filled up with zero filters to a multiple of a CPU's vector length: PNet's first
# layer has 10 and RNet's 28, which PReLU then takes one by one, ten times as slowly.
_VECTOR_CHANNELS = {"pnet": 16, "rnet": 32}


class MtcnnDetector:
    """MTCNN with the weights inside facenet_pytorch's wheel; needs no network.

    Results equal those of ``facenet_pytorch.MTCNN(keep_all=True).detect`` picture by picture
    and depend neither on the batch nor on the number of threads.

    Parameters
    ----------
    min_face_size : int
        Smallest face looked for, in pixels of the picture (of the shrunken one, see below).
    batch_size : int
        Most pictures in one call of the networks; a CPU takes fewer where that is faster.
    longest_side : int
        Pictures with a longer side are shrunk to it for detection; what is found is given in
        the picture's own pixels. It bounds time and memory.
    device : str
        ``"auto"`` (CUDA where there is one), or a torch device.
    threads : int, optional
        Threads of one call on a CPU: as many as torch uses, unless given. With 1 the caller's
        own thread does the work, which suits callers that call from several threads.

    Attributes
    ----------
    device : torch.device
        Where the networks are.
    """

    def __init__(
        self,
        *,
        min_face_size: int = 20,
        batch_size: int = 32,
        longest_side: int = 1600,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)
        self._min_face_size = min_face_size
        self._batch_size = batch_size
        self._longest_side = longest_side
        self._networks = load_networks(self.device)
        workers = (threads or torch.get_num_threads()) if self.device.type == "cpu" else 1
        self._map = ThreadPoolExecutor(workers).map if workers > 1 else map
        self._guard = _OneThreadEach()

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Faces]:
        """Find faces; see :meth:`ferclean.faces.detect.FaceDetector.detect`."""
        shrunken = [shrink(picture, longest_side=self._longest_side) for picture in pictures]
        batches = [
            group[start : start + size]
            for group in equal_size_groups(shrunken)
            for size in [self._pictures_per_call(shrunken[group[0]])]
            for start in range(0, len(group), size)
        ]
        stacks = (np.stack([shrunken[position] for position in batch]) for batch in batches)
        with self._guard:
            found = [faces for batch in self._map(self._detect_batch, stacks) for faces in batch]
        positions = [position for batch in batches for position in batch]
        by_position = dict(zip(positions, found, strict=True))
        return [
            _in_pixels_of(picture, shrunken[position], by_position[position])
            for position, picture in enumerate(pictures)
        ]

    def _pictures_per_call(self, picture: np.ndarray) -> int:
        level = picture.shape[0] * picture.shape[1] * (12 / self._min_face_size) ** 2
        limit = _PIXELS_PER_CALL.get(self.device.type, _PIXELS_PER_CALL["cuda"])
        return max(1, min(self._batch_size, int(limit / level)))

    def _detect_batch(self, pictures: np.ndarray) -> list[Faces]:
        torch.set_num_threads(1)
        index, boxes, scores, landmarks = detect_faces(
            pictures, self._networks, min_face_size=self._min_face_size, device=self.device
        )
        ends = np.searchsorted(index, np.arange(len(pictures) + 1))
        return [
            Faces(boxes[start:stop], scores[start:stop], landmarks[start:stop])
            for start, stop in pairwise(ends)
        ]


class _OneThreadEach:
    """Puts torch's number of threads back when the last of the concurrent calls ends.

    Inside, pictures run side by side, each on one thread: faster than one picture on all of
    them, and the bits of the result do not depend on the number of cores. torch keeps the number
    per thread, but also as a default for threads to come.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._threads = 1

    def __enter__(self) -> None:
        with self._lock:
            if not self._calls:
                self._threads = torch.get_num_threads()
            self._calls += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._calls -= 1
            if not self._calls:
                torch.set_num_threads(self._threads)


def _in_pixels_of(picture: np.ndarray, shrunken: np.ndarray, faces: Faces) -> Faces:
    factors = np.array(picture.shape[1::-1]) / np.array(shrunken.shape[1::-1])
    boxes, landmarks = faces.boxes * np.tile(factors, 2), faces.landmarks * factors
    return make_faces(boxes, faces.scores, landmarks)


def shrink(picture: np.ndarray, *, longest_side: int) -> np.ndarray:
    """Return the picture, reduced (antialiased) where a side is longer than `longest_side`."""
    height, width = picture.shape[:2]
    if max(height, width) <= longest_side:
        return picture
    factor = longest_side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    image = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.asarray(image)


def load_networks(device: torch.device) -> Any:
    """Return facenet_pytorch's MTCNN for inference on `device`, channels-last and filled up."""
    from facenet_pytorch import MTCNN

    networks = MTCNN(keep_all=True).eval().requires_grad_(False)
    for name, channels in _VECTOR_CHANNELS.items():
        _fill_channels(getattr(networks, name), channels)
    return networks.to(device=device, memory_format=torch.channels_last)


def _fill_channels(network: Any, channels: int) -> None:
    """Add zero filters to the first convolution; what the network computes stays the same."""
    extra = channels - network.conv1.out_channels
    fill = torch.nn.functional.pad
    filled = {
        (network.conv1, "weight"): (0, 0, 0, 0, 0, 0, 0, extra),
        (network.conv1, "bias"): (0, extra),
        (network.prelu1, "weight"): (0, extra),
        (network.conv2, "weight"): (0, 0, 0, 0, 0, extra),
    }
    for (layer, name), padding in filled.items():
        values = fill(getattr(layer, name).detach(), padding)
        setattr(layer, name, torch.nn.Parameter(values, requires_grad=False))
