"""VGG-16 of torchvision up to its first fully connected layer."""

from __future__ import annotations

import torch
from torch import nn

from ferclean.models.network import Backbone

_CELLS = 7  # the fully connected layer reads 512 x 7 x 7 numbers
_REDUCTION = 32  # five max pools of stride 2


class FixedAveragePool(nn.Module):
    """Adaptive average pooling of square maps of one known size, as two matrix products.

    Equal to :class:`torch.nn.AdaptiveAvgPool2d`, whose gradient torch refuses to compute on a
    GPU when only deterministic operations are allowed.

    Parameters
    ----------
    size, cells : int
        Height and width before and after.
    """

    def __init__(self, size: int, cells: int) -> None:
        super().__init__()
        rows = nn.functional.adaptive_avg_pool1d(torch.eye(size), cells)
        self.matrix: torch.Tensor
        self.register_buffer("matrix", rows, persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Pool ``(B, C, size, size)`` to ``(B, C, cells, cells)``."""
        matrix = self.matrix.to(maps.dtype)
        return matrix.T @ maps @ matrix


def _build(channels: int, image_size: int) -> nn.Module:
    from torchvision.models import vgg16  # here for the reason given in ferclean.models.resnet

    network = vgg16(weights=None)
    if channels != 3:
        stem = nn.Conv2d(channels, 64, 3, padding=1)
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(stem.bias)  # type: ignore[arg-type]
        network.features[0] = stem
    size = image_size // _REDUCTION
    network.avgpool = nn.Identity() if size == _CELLS else FixedAveragePool(size, _CELLS)
    # SCE-ALD (arXiv 2107.11061) takes the first fully connected layer, after its ReLU, as
    # the feature; the second one is left out so that the classifier reads that feature.
    network.classifier = network.classifier[:2]
    return network  # type: ignore[no-any-return]


VGG16 = Backbone(
    build=_build,
    feature_dim=4096,
    stem="features.0.weight",
    published_classifier="classifier.6.",
    unused=("classifier.3.",),
    minimum_size=_REDUCTION,
)
