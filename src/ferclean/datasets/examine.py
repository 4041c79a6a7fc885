"""Decode a stream of pictures in the threads given and fingerprint them in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ferclean.datasets.fingerprints import Fingerprint, fingerprint
from ferclean.datasets.pictures import PictureError, decode_picture
from ferclean.machine import given_threads
from ferclean.threads import ordered_map

# Decoding runs outside Python's lock; more threads would hold more decoded pictures at a time.
# Rule `ingest` asks for as many.
_MOST_THREADS = 4
_AHEAD = 32
# Handing a smaller file to a thread takes longer than decoding it.
_SMALL_BYTES = 20_000


def examine_pictures(
    pictures: Iterable[tuple[int, bytes | PictureError]], *, max_pixels: int
) -> Iterator[tuple[int, bytes | PictureError, Fingerprint | PictureError]]:
    """Decode and fingerprint pictures, in the order in which they come.

    Parameters
    ----------
    pictures : iterable of (int, bytes or PictureError)
        Row number and encoded picture, or why there is none.
    max_pixels : int
        See :func:`ferclean.datasets.pictures.decode_picture`.

    Yields
    ------
    row : int
        Row number.
    data : bytes or PictureError
        As it came.
    outcome : Fingerprint or PictureError
        The picture's fingerprint, or why it cannot be used.
    """

    def examine(
        item: tuple[int, bytes | PictureError],
    ) -> tuple[int, bytes | PictureError, Fingerprint | PictureError]:
        row, data = item
        if isinstance(data, PictureError):
            return row, data, data
        try:
            return row, data, fingerprint(decode_picture(data, max_pixels=max_pixels))
        except PictureError as error:
            return row, data, error

    def is_large(item: tuple[int, bytes | PictureError]) -> bool:
        return isinstance(item[1], bytes) and len(item[1]) >= _SMALL_BYTES

    threads = min(given_threads(), _MOST_THREADS)
    yield from ordered_map(examine, pictures, threads, ahead=_AHEAD, worth_a_thread=is_large)
