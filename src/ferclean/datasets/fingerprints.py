"""What is remembered of a picture for finding its copies: a digest, a hash and a thumbnail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

THUMBNAIL_SIDE = 16


@dataclass(frozen=True)
class Fingerprint:
    """One picture's fingerprint.

    Attributes
    ----------
    width, height : int
        Size in pixels.
    sha256 : str
        64 hexadecimal digits over the decoded pixels and their shape.
    perceptual : int
        64-bit difference hash.
    thumbnail : numpy.ndarray
        ``(256,)`` uint8, the grey picture area-averaged to 16 x 16.
    """

    width: int
    height: int
    sha256: str
    perceptual: int
    thumbnail: np.ndarray


@dataclass(frozen=True)
class Fingerprints:
    """Fingerprints of N rows as arrays; rows without a picture have an empty ``sha256``.

    Attributes
    ----------
    width, height : numpy.ndarray
        ``(N,)`` int32.
    sha256 : numpy.ndarray
        ``(N,)`` of 64 ASCII bytes, empty where there is no picture.
    perceptual : numpy.ndarray
        ``(N,)`` uint64.
    thumbnail : numpy.ndarray
        ``(N, 256)`` uint8.
    """

    width: np.ndarray
    height: np.ndarray
    sha256: np.ndarray
    perceptual: np.ndarray
    thumbnail: np.ndarray

    @classmethod
    def empty(cls, rows: int) -> Fingerprints:
        """Make room for a number of rows: about 340 bytes each."""
        return cls(
            width=np.zeros(rows, np.int32),
            height=np.zeros(rows, np.int32),
            sha256=np.zeros(rows, "S64"),
            perceptual=np.zeros(rows, np.uint64),
            thumbnail=np.zeros((rows, THUMBNAIL_SIDE**2), np.uint8),
        )

    def put(self, row: int, fingerprint: Fingerprint) -> None:
        """Store the fingerprint of one row."""
        self.width[row] = fingerprint.width
        self.height[row] = fingerprint.height
        self.sha256[row] = fingerprint.sha256.encode()
        self.perceptual[row] = fingerprint.perceptual
        self.thumbnail[row] = fingerprint.thumbnail


def fingerprint(pixels: np.ndarray) -> Fingerprint:
    """Take the fingerprint of a decoded picture.

    The difference hash (Krawetz 2013, "Kind of like that") sets a bit where a pixel of the grey
    picture, area-averaged to 9 x 8, is brighter than its left neighbour: it survives scaling,
    recompression and changes of brightness and contrast.

    Parameters
    ----------
    pixels : numpy.ndarray
        ``(H, W, 3)`` uint8.

    Returns
    -------
    Fingerprint
    """
    height, width = pixels.shape[:2]
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    grey = Image.fromarray(pixels).convert("L")
    small = np.asarray(grey.resize((9, 8), Image.Resampling.BOX))
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return Fingerprint(
        width=width,
        height=height,
        sha256=digest.hexdigest(),
        perceptual=int.from_bytes(np.packbits(small[:, 1:] > small[:, :-1]).tobytes(), "big"),
        thumbnail=np.asarray(grey.resize(side, Image.Resampling.BOX)).ravel(),
    )
