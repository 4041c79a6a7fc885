"""Decode untrusted picture bytes to RGB pixels, or say why not."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Only formats that Pillow decodes itself: EPS, for one, would start Ghostscript on the file.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
# Pillow gives mode I for both 16-bit and 32-bit files; in these formats 16 bits is the most.
_SIXTEEN_BIT_IN_MODE_I = ("PNG", "PPM")
_ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")
Image.init()  # registers all of FORMATS; opening with `formats` does not do it


class PictureError(Exception):
    """A picture that cannot be used.

    Attributes
    ----------
    reason : str
        One short clause for the quarantine table; text before a colon is its kind.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode_picture(data: bytes, *, max_pixels: int) -> np.ndarray:
    """Decode one picture, upright, as 8-bit RGB.

    EXIF orientation is applied, 16-bit grey is scaled to 8 bits, transparency is laid on white,
    and of an animation or a multi-page file the first frame is taken. Grey pictures come back
    with three equal channels.

    Parameters
    ----------
    data : bytes
        The file's content: PNG, JPEG, WebP, BMP, GIF, TIFF or PPM.
    max_pixels : int
        Pictures whose header announces more pixels are refused before any pixel is decoded.

    Returns
    -------
    numpy.ndarray
        ``(H, W, 3)`` uint8, C-contiguous.

    Raises
    ------
    PictureError
        For empty, unreadable, truncated, oversized or unsupported content.
    """
    if not data:
        raise PictureError("empty file")
    try:
        return _decode(data, max_pixels)
    except (PictureError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise PictureError("not a picture in a supported format") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError("too many pixels: Pillow's own limit") from None
    # Broken files make Pillow's parsers raise nearly anything (SyntaxError, struct.error, ...).
    except Exception as error:
        raise PictureError(f"unreadable or truncated: {_one_line(error)}") from None


def _decode(data: bytes, max_pixels: int) -> np.ndarray:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise PictureError(f"too many pixels: {width} x {height}")
        if image.format == "PNG":
            _verify(data)
        image.load()
        return np.ascontiguousarray(ImageOps.exif_transpose(_to_rgb(image)))


def _verify(data: bytes) -> None:
    # PNG alone has checksums to verify, which loading skips; a verified image cannot be loaded.
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.verify()


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        converted = _scale_sixteen_bits(image)
    elif image.mode == "F":
        raise PictureError("unsupported pixels: floating point has no defined range")
    elif image.mode in _ALPHA_MODES or "transparency" in image.info:
        upright = image.convert("RGBA")
        converted = Image.new("RGBA", upright.size, "white")
        converted.alpha_composite(upright)
        converted = converted.convert("RGB")
    else:
        converted = image.convert("RGB")
    # exif_transpose reads the orientation off the picture it is given.
    if orientation := image.getexif().get(0x0112):
        converted.getexif()[0x0112] = orientation
    return converted


def _scale_sixteen_bits(image: Image.Image) -> Image.Image:
    if image.mode == "I" and image.format not in _SIXTEEN_BIT_IN_MODE_I:
        raise PictureError("unsupported pixels: 32 bits have no defined range")
    values = np.asarray(image).astype(np.float64)
    return Image.fromarray(np.rint(values / 257).astype(np.uint8)).convert("RGB")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:120] or type(error).__name__
