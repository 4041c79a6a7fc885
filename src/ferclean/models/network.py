"""A classifier made of a backbone that gives features, one linear layer, and further heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ferclean.errors import FercleanError


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
    maps : callable or None
        ``maps(module, pictures)`` returns the last feature maps ``(B, feature_dim, H', W')``
        whose mean over the places is the features; ``None`` where they are not that.
    """

    build: Callable[[int, int], nn.Module]
    feature_dim: int
    stem: str
    published_classifier: str
    unused: tuple[str, ...] = ()
    minimum_size: int = 16
    maps: Callable[[nn.Module, torch.Tensor], torch.Tensor] | None = None


# Given the width D of the features, further modules by name.
HeadBuilder = Callable[[int], Mapping[str, nn.Module]]


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
    heads : callable, optional
        Builds a recipe's own modules. One called ``classifier`` takes the place of the linear
        layer; the others read the features like it, or are called by the recipe.

    Attributes
    ----------
    feature_dim : int
        Width D of the features.
    classes : int
        K.
    classifier : torch.nn.Module
        From D features to K logits.
    heads : torch.nn.ModuleDict
        The recipe's own modules.
    """

    def __init__(
        self,
        kind: Backbone,
        *,
        classes: int,
        channels: int,
        image_size: int,
        dropout: float,
        heads: HeadBuilder | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.feature_dim = kind.feature_dim
        self.backbone = kind.build(channels, image_size)
        self.dropout = nn.Dropout(dropout)
        self.classes = classes
        built = dict(heads(kind.feature_dim)) if heads else {}
        own = built.pop("classifier") if "classifier" in built else None
        self.classifier = own or nn.Linear(kind.feature_dim, classes)
        self.heads = nn.ModuleDict(built)

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

    def outputs(self, pictures: torch.Tensor, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """Return the logits and further outputs of one forward pass.

        Parameters
        ----------
        pictures : torch.Tensor
            ``(B, C, H, W)`` float, normalised.
        names : sequence of str
            ``"features"`` (before dropout), or names of heads (which see what the classifier
            sees).

        Returns
        -------
        dict of str to torch.Tensor
            ``"logits"`` ``(B, K)`` and each of `names`, ``(B, ...)``.
        """
        features = self.features(pictures)
        seen = self.dropout(features)
        found = {"logits": self.classifier(seen)}
        for name in names:
            found[name] = features if name == "features" else self.heads[name](seen)
        return found

    def maps(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the last feature maps ``(B, D, H', W')``; their mean is :meth:`features`.

        Raises
        ------
        FercleanError
            If the backbone does not average feature maps (VGG16, InceptionResnetV1).
        """
        if self.kind.maps is None:
            raise FercleanError(
                "this method needs a backbone whose features are averaged feature maps; "
                "set model.name to tiny48, preact_resnet18 or one of the ResNets"
            )
        return self.kind.maps(self.backbone, pictures)
