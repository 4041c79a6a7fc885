"""Backbones by name, and the one way to build a network."""

from __future__ import annotations

import torch

from ferclean.config.training import ModelSettings
from ferclean.errors import FercleanError, unknown_name
from ferclean.models.facenet import INCEPTION_RESNET_V1
from ferclean.models.network import Backbone, HeadBuilder, Network
from ferclean.models.preact_resnet import PREACT_RESNET18
from ferclean.models.resnet import RESNET18, RESNET18_3X3, RESNET50
from ferclean.models.tiny48 import TINY48
from ferclean.models.vgg import VGG16

__all__ = ["BACKBONES", "Backbone", "Network", "build_network"]

BACKBONES: dict[str, Backbone] = {
    "tiny48": TINY48,
    "resnet18": RESNET18,
    "resnet18_3x3": RESNET18_3X3,
    "preact_resnet18": PREACT_RESNET18,
    "vgg16": VGG16,
    "resnet50": RESNET50,
    "inception_resnet_v1": INCEPTION_RESNET_V1,
}


def build_network(
    settings: ModelSettings,
    *,
    classes: int,
    channels: int,
    image_size: int,
    seed: int,
    heads: HeadBuilder | None = None,
) -> Network:
    """Build a network on the CPU with seeded weights; nothing is read or downloaded.

    Parameters
    ----------
    settings : ModelSettings
        Backbone name and dropout; ``settings.weights`` is left to
        :func:`ferclean.models.weights.load_backbone_weights`.
    classes : int
        Number of logits K, at least 2.
    channels : int
        1 (grey) or 3 (RGB).
    image_size : int
        Height and width of a picture.
    seed : int
        Seed of the initial weights, in ``[0, 2**63)``; torch's global random state is neither
        read nor changed.
    heads : callable, optional
        Builds a recipe's own modules, see :class:`~ferclean.models.network.Network`.

    Returns
    -------
    Network
        In train mode.

    Raises
    ------
    FercleanError
        For an unknown backbone, or pictures that the backbone cannot take.
    """
    if settings.name not in BACKBONES:
        raise unknown_name("model.name", settings.name, BACKBONES)
    kind = BACKBONES[settings.name]
    if classes < 2 or channels not in (1, 3):
        raise FercleanError(
            f"a network needs at least 2 classes and 1 or 3 channels, "
            f"found {classes} classes and {channels} channels"
        )
    if image_size < kind.minimum_size:
        raise FercleanError(
            f"model.name {settings.name!r} needs faces of at least {kind.minimum_size} pixels, "
            f"found {image_size}; set align.size"
        )
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that would also reseed every GPU, which fork_rng leaves alone here.
        torch.default_generator.manual_seed(seed)
        return Network(
            kind,
            classes=classes,
            channels=channels,
            image_size=image_size,
            dropout=settings.dropout,
            heads=heads,
        )
