"""The small network of benchmark protocol P1: minutes on a CPU at 48 x 48."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from ferclean.models.network import Backbone

# (output channels, stride) of each 3x3 convolution; 10.8 M multiply-adds at 48 x 48 grey.
_LAYERS = ((32, 2), (64, 2), (128, 2), (128, 1))


def _build(channels: int, image_size: int) -> nn.Module:
    layers: list[nn.Module] = []
    for width, stride in _LAYERS:
        layers += [
            nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _maps(module: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    maps: torch.Tensor = cast(nn.Sequential, module)[:-2](pictures)  # without pooling, flattening
    return maps


TINY48 = Backbone(
    build=_build,
    feature_dim=128,
    stem="0.weight",
    published_classifier="classifier.",
    maps=_maps,
)
