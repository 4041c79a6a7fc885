"""What a picture's bytes are, and pictures in a format that all readers know."""

from __future__ import annotations

import io

from PIL import Image

from ferclean.datasets.pictures import PictureError, decode_picture

# Endings by the first bytes of a file; a name may lie.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tiff"),
    (b"MM\0*", ".tiff"),
    *((b"P%d" % number, ".ppm") for number in range(1, 7)),
)
HEAD_BYTES = 12
# torchvision's ImageFolder passes over them without a word.
_NOT_READ_BY_ALL = (".gif",)


def picture_suffix(head: bytes) -> str:
    """Return the ending that a picture is written with, by its first bytes.

    Raises
    ------
    PictureError
        For any other format than those that are read in.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    for signature, suffix in _SIGNATURES:
        if head.startswith(signature):
            return ".png" if suffix in _NOT_READ_BY_ALL else suffix
    raise PictureError("not a picture in a supported format")


def portable_picture(data: bytes, *, max_pixels: int) -> bytes:
    """Return the bytes as they are, or of a GIF the first frame as PNG.

    Raises
    ------
    PictureError
        If a picture that must be converted cannot be read.
    """
    if not data.startswith(b"GIF8"):
        return data
    stream = io.BytesIO()
    Image.fromarray(decode_picture(data, max_pixels=max_pixels)).save(stream, "PNG")
    return stream.getvalue()
