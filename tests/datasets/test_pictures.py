"""decode_picture: every mode comes back as RGB, every broken file as a reason."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ferclean.datasets.pictures import PictureError, decode_picture
from fixtures.picture_files import encode, smooth_pixels

LIMIT = 10**6
COLOUR = smooth_pixels(1, channels=3)[:30]


def decode(data: bytes) -> np.ndarray:
    return decode_picture(data, max_pixels=LIMIT)


def save(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def reason_of(data: bytes, max_pixels: int = LIMIT) -> str:
    with pytest.raises(PictureError) as caught:
        decode_picture(data, max_pixels=max_pixels)
    assert "\n" not in caught.value.reason
    return caught.value.reason


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunks + b"\0\0\0\x10IDAT" + b"\0" * 30


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_give_the_same_pixels(form):
    options = {"lossless": True} if form == "WEBP" else {}
    pixels = decode(encode(COLOUR, form, **options))
    assert pixels.dtype == np.uint8 and pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels, COLOUR)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb_as_seen(mode):
    form = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    image = Image.fromarray(COLOUR).convert(mode)
    pixels = decode(save(image, form))
    assert pixels.shape == COLOUR.shape and pixels.dtype == np.uint8
    tolerance = 12 if form == "JPEG" else 0
    expected = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(pixels.astype(int) - expected).mean() <= tolerance


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(form):
    deep = (np.arange(40 * 40).reshape(40, 40) * 40).astype(np.uint16)
    pixels = decode(encode(deep, form))
    np.testing.assert_allclose(pixels[..., 0], deep / 257, atol=0.51)
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_transparency_is_laid_on_white():
    image = Image.new("RGBA", (2, 1), (200, 0, 0, 255))
    image.putpixel((1, 0), (200, 0, 0, 0))
    assert decode(save(image, "PNG")).tolist() == [[[200, 0, 0], [255, 255, 255]]]


def test_transparent_palette_colour_is_laid_on_white():
    image = Image.new("P", (2, 1), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    data = save(image, "GIF", transparency=1)
    assert decode(data).tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda p: p),
        (2, lambda p: p[:, ::-1]),
        (3, lambda p: p[::-1, ::-1]),
        (4, lambda p: p[::-1]),
        (5, lambda p: p.transpose(1, 0, 2)),
        (6, lambda p: np.rot90(p, -1)),
        (7, lambda p: p[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda p: np.rot90(p, 1)),
        (99, lambda p: p),
    ],
)
def test_exif_orientation_is_applied(form, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if form == "WEBP" else {}
    options |= {"quality": 100, "subsampling": 0} if form == "JPEG" else {}
    pixels = decode(encode(COLOUR, form, exif=exif, **options)).astype(int)
    expected = turn(COLOUR.astype(int))
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= (8 if form == "JPEG" else 0)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation_is_taken(form):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("black", "white", "red")]
    data = save(frames[0], form, save_all=True, append_images=frames[1:])
    assert (decode(data) == 0).all()


def test_size_is_refused_from_the_header_before_decoding():
    assert reason_of(png_header(30_000, 30_000)).startswith("too many pixels")
    assert reason_of(png_header(2**31 - 1, 2**31 - 1)).startswith("too many pixels")
    assert reason_of(encode(COLOUR), max_pixels=COLOUR.shape[0] * COLOUR.shape[1] - 1)
    assert decode_picture(encode(COLOUR), max_pixels=30 * 48).shape == (30, 48, 3)


def test_the_limit_may_be_larger_than_pillows_own_warning():
    data = png_header(20_000, 20_000)
    assert reason_of(data, max_pixels=10**9) == "too many pixels: Pillow's own limit"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty file"),
        (b"\0", "not a picture in a supported format"),
        (b"hello, I am a text", "not a picture in a supported format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture in a supported format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (b"\xff\xd8\xff\xe0", "not a picture"),
        (b"GIF89a", ""),
        (b"RIFF\x10\0\0\0WEBPVP8L", ""),
        (b"II*\0\xff\xff\xff\xff", ""),
        (b"P6 10 10 255 abc", "unreadable or truncated"),
        (b"P6 -1 10 255 abc", ""),
        (png_header(10, 10), "unreadable or truncated"),
        (png_header(0, 10), ""),
    ],
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_hostile_bytes_end_as_a_reason(data, kind):
    assert reason_of(data).startswith(kind)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated_files_are_never_half_decoded(form, share):
    data = encode(smooth_pixels(3, side=64), form)
    reason_of(data[: int(len(data) * share)])


def test_floats_and_32_bits_are_refused():
    values = np.linspace(0, 1, 100).reshape(10, 10)
    assert reason_of(encode(values.astype(np.float32), "TIFF")).startswith("unsupported pixels")
    assert reason_of(encode((values * 1e6).astype(np.int32), "TIFF")).startswith("unsupported")


def test_a_flipped_bit_in_a_png_is_seen():
    data = bytearray(encode(COLOUR))
    data[len(data) // 2] ^= 1
    assert reason_of(bytes(data)).startswith("unreadable or truncated")


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"]),
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=8),
    cut=st.floats(0, 1),
)
def test_damaged_files_give_pixels_or_a_reason_and_nothing_else(form, changes, cut):
    data = bytearray(encode(smooth_pixels(5, side=20), form))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        pixels = decode(bytes(data[: int(len(data) * cut)]))
    except PictureError:
        return
    assert pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8
