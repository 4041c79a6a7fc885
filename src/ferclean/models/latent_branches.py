"""The branches of DMUE on top of a backbone, and its pairwise uncertainty.

The authors copy the backbone's last stage for each branch; here each branch has one layer of its
own on the pooled features, which every backbone has and which K + 1 branches can afford.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class TargetBranch(nn.Module):
    """Logits over all classes: ``output(embed(features))``.

    Parameters
    ----------
    feature_dim, width, classes : int
        D, width of the branch, K.

    Attributes
    ----------
    embed : torch.nn.Module
        From ``(B, D)`` to ``(B, width)``.
    output : torch.nn.Linear
        From there to logits.
    """

    def __init__(self, feature_dim: int, width: int, classes: int) -> None:
        super().__init__()
        self.embed = _layer(feature_dim, width)
        self.output = nn.Linear(width, classes, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits ``(B, K)`` of features ``(B, D)``."""
        logits: Tensor = self.output(self.embed(features))
        return logits


class AuxiliaryBranches(nn.Module):
    """K branches; branch c gives logits over all classes but c.

    Parameters
    ----------
    feature_dim, width, classes : int
        D, width of each branch, K.
    """

    def __init__(self, feature_dim: int, width: int, classes: int) -> None:
        super().__init__()
        self.embed = _layer(feature_dim, classes * width)
        bound = 1.0 / math.sqrt(width)  # as torch starts a linear layer
        self.output = nn.Parameter(torch.empty(classes, classes, width).uniform_(-bound, bound))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the branches say of features ``(B, D)``.

        Returns
        -------
        embedded : Tensor
            ``(B, K, width)``.
        logits : Tensor
            ``(B, K, K)`` float32; ``[:, c, c]`` is ``-inf``.
        """
        classes, _, width = self.output.shape
        embedded = self.embed(features).view(len(features), classes, width)
        logits = torch.einsum("bcw,ckw->bck", embedded, self.output).float()
        unknown = torch.eye(classes, dtype=torch.bool, device=logits.device)
        return embedded, logits.masked_fill(unknown, -torch.inf)


class PairwiseUncertainty(nn.Module):
    """A score in (0, 1) of every row from its likeness to the batch's rows of each class.

    Parameters
    ----------
    classes : int
        K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.score = nn.Sequential(
            nn.Linear(2 * classes, classes), nn.PReLU(), nn.Linear(classes, 1)
        )

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the factor of each row's logits.

        Parameters
        ----------
        features : Tensor
            ``(B, D)``.
        labels : Tensor
            ``(B,)`` int64.

        Returns
        -------
        Tensor
            ``(B, 1)`` float32.
        """
        likeness = class_likeness(features, labels, self.classes)
        label = functional.one_hot(labels, self.classes).float()
        return torch.sigmoid(self.score(torch.cat([likeness, label], dim=1)).float())


def class_likeness(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return each row's mean cosine with the rows of every class, scaled to [0, 1] in each row.

    Parameters
    ----------
    features : Tensor
        ``(B, D)``.
    labels : Tensor
        ``(B,)`` int64.
    classes : int
        K.

    Returns
    -------
    Tensor
        ``(B, K)`` float32. The authors skip batches in which a class has fewer than two rows;
        here a class without a row is as unlike as the least like one (0), and where all classes
        are equally like, all are 0.
    """
    with torch.autocast(features.device.type, enabled=False):
        unit = functional.normalize(features.float(), dim=1)
        members = functional.one_hot(labels, classes).float()
        count = members.sum(dim=0)
        likeness = (unit @ unit.T) @ members / count.clamp_min(1.0)
    present = count > 0
    lowest = likeness[:, present].min(dim=1, keepdim=True).values
    spread = likeness[:, present].max(dim=1, keepdim=True).values - lowest
    scaled = (likeness - lowest) / torch.where(spread > 0, spread, torch.ones_like(spread))
    return torch.where(present, scaled, torch.zeros_like(scaled))


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    # The last one is the authors' neck: without a shift inner products may have either sign,
    # which those of the auxiliary branches' logits must have.
    return nn.Sequential(
        nn.Linear(inputs, outputs, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(),
        nn.BatchNorm1d(outputs, affine=False),
    )
