"""Pre-activation ResNet-18 for small pictures, in the form that DivideMix and SMR train.

Normalisation and ReLU come before each convolution (He et al. 2016, arXiv 1603.05027). Two
points differ from that paper, as in the networks behind the published CIFAR numbers: the
shortcut carries the activated input also where the shape does not change, and the stem is
normalised while the last block's output is not.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from ferclean.models.network import Backbone

# (width, stride of the first block) of each stage; two blocks a stage.
_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


def _convolution(incoming: int, width: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(incoming, width, 3, stride=stride, padding=1, bias=False)


class _Block(nn.Module):
    def __init__(self, incoming: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(incoming)
        self.conv1 = _convolution(incoming, width, stride=stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width)
        self.shortcut = nn.Sequential()
        if stride != 1 or incoming != width:
            self.shortcut.append(nn.Conv2d(incoming, width, 1, stride=stride, bias=False))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        active = torch.relu(self.bn1(maps))
        changed = self.conv2(torch.relu(self.bn2(self.conv1(active))))
        summed: torch.Tensor = changed + self.shortcut(active)
        return summed


class PreActResNet18(nn.Module):
    """``(B, channels, H, W)`` to ``(B, 512)``; attribute names as in published weight files."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, 64)
        self.bn1 = nn.BatchNorm2d(64)
        incoming = 64
        for number, (width, stride) in enumerate(_STAGES, start=1):
            stage = nn.Sequential(_Block(incoming, width, stride), _Block(width, width, 1))
            self.add_module(f"layer{number}", stage)
            incoming = width

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the mean over positions of :meth:`maps`."""
        return self.maps(pictures).mean(dim=(2, 3))

    def maps(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the last block's output, ``(B, 512, H / 8, W / 8)``."""
        maps = torch.relu(self.bn1(self.conv1(pictures)))
        for number in range(1, len(_STAGES) + 1):
            maps = self.get_submodule(f"layer{number}")(maps)
        return maps


def _build(channels: int, image_size: int) -> nn.Module:
    return PreActResNet18(channels)


def _maps(module: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    return cast(PreActResNet18, module).maps(pictures)


PREACT_RESNET18 = Backbone(
    build=_build,
    feature_dim=512,
    stem="conv1.weight",
    published_classifier="linear.",
    maps=_maps,
)
