"""A classifier made of a backbone that gives features and one linear layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Backbone:
    """How a backbone is built, and the names under which others publish its weights.

    Attributes
    ----------
    build : callable
        ``build(channels, image_size)`` returns a module ``(B, C, H, W) -> (B, feature_dim)``.
    feature_dim : int
        Width D of the features.
    stem : str
        Name of the first convolution's weight within the module.
    published_classifier : str
        Prefix of the last linear layer in published files, for example ``"fc."``.
    unused : tuple of str
        Prefixes of layers that published files hold and this network has not.
    minimum_size : int
        Smallest height and width of a picture.
    """

    build: Callable[[int, int], nn.Module]
    feature_dim: int
    stem: str
    published_classifier: str
    unused: tuple[str, ...] = ()
    minimum_size: int = 16


class Network(nn.Module):
    """Backbone, dropout, linear classifier; further heads read :meth:`features`.

    Parameters
    ----------
    kind : Backbone
        What to build.
    classes : int
        Number of logits K.
    channels, image_size : int
        Shape of a picture.
    dropout : float
        Chance in [0, 1) of dropping a feature before the classifier.

    Attributes
    ----------
    feature_dim : int
        Width D of the features.
    classifier : torch.nn.Linear
        From D features to K logits.
    """

    def __init__(
        self, kind: Backbone, *, classes: int, channels: int, image_size: int, dropout: float
    ) -> None:
        super().__init__()
        self.kind = kind
        self.feature_dim = kind.feature_dim
        self.backbone = kind.build(channels, image_size)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(kind.feature_dim, classes)

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return what the classifier reads, before dropout.

        Parameters
        ----------
        pictures : torch.Tensor
            ``(B, C, H, W)`` float, normalised.

        Returns
        -------
        torch.Tensor
            ``(B, D)``.
        """
        found: torch.Tensor = self.backbone(pictures)
        return found

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return logits ``(B, K)``: ``classifier(dropout(features(pictures)))``."""
        logits: torch.Tensor = self.classifier(self.dropout(self.features(pictures)))
        return logits
