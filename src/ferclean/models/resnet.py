"""ResNets of torchvision, with the ImageNet stem or the small-picture stem.

torchvision is imported on building: that takes as long as importing torch, in every job, and
the default backbone needs none of it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ferclean.models.network import Backbone

# SCN's MS-Celeb-1M ResNet-18 holds an embedding layer "feature." between pooling and "fc.".
_UNUSED = ("feature.",)


def _published(name: str, channels: int) -> Any:
    from torchvision import models

    network = models.get_model(name, weights=None)
    network.fc = nn.Identity()
    if channels != 3:
        network.conv1 = _stem(channels, kernel=7, stride=2)
    return network


def _stem(channels: int, *, kernel: int, stride: int) -> nn.Conv2d:
    stem = nn.Conv2d(channels, 64, kernel, stride=stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")  # as in torchvision
    return stem


def _build_resnet18(channels: int, image_size: int) -> nn.Module:
    network: nn.Module = _published("resnet18", channels)
    return network


def _build_resnet50(channels: int, image_size: int) -> nn.Module:
    network: nn.Module = _published("resnet50", channels)
    return network


def _build_resnet18_3x3(channels: int, image_size: int) -> nn.Module:
    # The 7x7 stem and its max pool would leave 2x2 positions of a 48 x 48 face.
    network: Any = _published("resnet18", channels)
    network.conv1 = _stem(channels, kernel=3, stride=1)
    network.maxpool = nn.Identity()
    return network


def _maps(module: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    network: Any = module
    found = network.maxpool(network.relu(network.bn1(network.conv1(pictures))))
    for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
        found = layer(found)
    maps: torch.Tensor = found
    return maps


RESNET18 = Backbone(
    build=_build_resnet18,
    feature_dim=512,
    stem="conv1.weight",
    published_classifier="fc.",
    unused=_UNUSED,
    maps=_maps,
)
RESNET18_3X3 = Backbone(
    build=_build_resnet18_3x3,
    feature_dim=512,
    stem="conv1.weight",
    published_classifier="fc.",
    unused=_UNUSED,
    maps=_maps,
)
RESNET50 = Backbone(
    build=_build_resnet50,
    feature_dim=2048,
    stem="conv1.weight",
    published_classifier="fc.",
    unused=_UNUSED,
    maps=_maps,
)
