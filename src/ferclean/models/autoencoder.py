"""Auto-encoders whose code can be compared with word vectors (SCE-ALD, arXiv 2107.11061)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from ferclean.errors import FercleanError, unknown_name

# The paper's "VGG10" is not defined there: eight convolutions in these blocks, each followed by
# pooling, and two fully connected layers. Batch normalisation is added, for without the paper's
# pretrained weights such a network does not learn from scratch.
_VGG10_BLOCKS = ((64,), (128,), (256, 256), (512, 512), (512, 512))
_VGG10_HIDDEN = 512
# Widths of the small one's stride-2 convolutions: seconds an epoch on a CPU at 48 x 48 grey.
_TINY_WIDTHS = (32, 64, 128)
_TINY_HIDDEN = 128


@dataclass(frozen=True)
class _Halves:
    """Layers down to the last maps and back to a picture, and the shape of those maps."""

    down: list[nn.Module]
    up: list[nn.Module]
    width: int
    size: int


@dataclass(frozen=True)
class _Encoder:
    build: Callable[[int, int], _Halves]
    hidden: int
    minimum_size: int


class AutoEncoder(nn.Module):
    """Encoder to a code, and its mirror image back to the picture.

    Parameters
    ----------
    halves : _Halves
        Convolutions of both directions.
    hidden : int
        Width of the fully connected layer beside the code, in both directions.
    code_dimensions : int
        D, the dimensions of the word vectors.
    """

    def __init__(self, halves: _Halves, *, hidden: int, code_dimensions: int) -> None:
        super().__init__()
        numbers = halves.width * halves.size**2
        self.encoder = nn.Sequential(
            *halves.down,
            nn.Flatten(),
            nn.Linear(numbers, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, code_dimensions),
        )
        self.decoder = nn.Sequential(
            nn.Linear(code_dimensions, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, numbers),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (halves.width, halves.size, halves.size)),
            *halves.up,
            nn.Sigmoid(),
        )

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return code and reconstruction.

        Parameters
        ----------
        pictures : torch.Tensor
            ``(B, C, H, W)`` float, normalised.

        Returns
        -------
        code : torch.Tensor
            ``(B, D)``.
        reconstruction : torch.Tensor
            ``(B, C, H, W)`` in [0, 1], of the picture before normalisation.
        """
        code = self.encoder(pictures)
        return code, self.decoder(code)


def build_autoencoder(
    name: str, *, code_dimensions: int, channels: int, image_size: int, seed: int
) -> AutoEncoder:
    """Build an auto-encoder on the CPU with seeded weights.

    Parameters
    ----------
    name : str
        ``"tiny"`` or ``"vgg10"``.
    code_dimensions : int
        D, at least 1.
    channels, image_size : int
        Shape of a picture.
    seed : int
        In ``[0, 2**63)``; torch's global random state is neither read nor changed.

    Returns
    -------
    AutoEncoder
        In train mode.

    Raises
    ------
    FercleanError
        For an unknown name or pictures that are too small.
    """
    if name not in _ENCODERS:
        raise unknown_name("embedding.encoder", name, _ENCODERS)
    kind = _ENCODERS[name]
    if image_size < kind.minimum_size:
        raise FercleanError(
            f"embedding.encoder {name!r} needs faces of at least {kind.minimum_size} pixels, "
            f"found {image_size}; set align.size or embedding.encoder"
        )
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that would also reseed every GPU, which fork_rng leaves alone here.
        torch.default_generator.manual_seed(seed)
        halves = kind.build(channels, image_size)
        return AutoEncoder(halves, hidden=kind.hidden, code_dimensions=code_dimensions)


def _tiny(channels: int, size: int) -> _Halves:
    """Stride-2 convolutions, mirrored by the transposed convolutions of the same shape."""
    down: list[nn.Module] = []
    up: list[nn.Module] = []
    inner = channels
    for width in _TINY_WIDTHS:
        half = (size + 1) // 2
        convolution = nn.Conv2d(inner, width, 3, stride=2, padding=1, bias=False)
        down += [convolution, *_normalised(width)]
        odd = size - (2 * half - 1)
        last = inner == channels
        back = nn.ConvTranspose2d(width, inner, 3, 2, 1, output_padding=odd, bias=last)
        up = [back, *([] if last else _normalised(inner)), *up]
        inner, size = width, half
    return _Halves(down, up, inner, size)


def _vgg10(channels: int, size: int) -> _Halves:
    """Blocks of convolutions and pooling, mirrored by enlarging and convolutions."""
    down: list[nn.Module] = []
    up: list[nn.Module] = []
    inner = channels
    for block in _VGG10_BLOCKS:
        back: list[nn.Module] = []
        for width in block:
            down += [nn.Conv2d(inner, width, 3, padding=1, bias=False), *_normalised(width)]
            last = inner == channels
            convolution = nn.Conv2d(width, inner, 3, padding=1, bias=last)
            back = [convolution, *([] if last else _normalised(inner)), *back]
            inner = width
        down.append(nn.MaxPool2d(2))
        up = [nn.Upsample(size=(size, size), mode="nearest"), *back, *up]
        size //= 2
    return _Halves(down, up, inner, size)


def _normalised(width: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]


_ENCODERS: dict[str, _Encoder] = {
    "tiny": _Encoder(_tiny, _TINY_HIDDEN, 8),
    "vgg10": _Encoder(_vgg10, _VGG10_HIDDEN, 32),
}
