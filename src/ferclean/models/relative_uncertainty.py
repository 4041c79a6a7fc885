"""The two branches of RUL: a feature to mix, and how uncertain it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_EPSILON = 2e-5  # of the authors' batch normalisations
# Beyond it the ratio of two uncertainties has long been 0 or 1, and exp would overflow.
_LARGEST_LOG_VARIANCE = 20.0


def feature_branch(feature_dim: int, width: int, dropout: float) -> nn.Sequential:
    """Build normalisation, dropout, a linear layer ``D -> width`` and normalisation.

    The authors' branches read flattened 7 x 7 feature maps; these read pooled features, so that
    every backbone and face size can be used.
    """
    return nn.Sequential(
        nn.BatchNorm1d(feature_dim, eps=_EPSILON, affine=False),
        nn.Dropout(dropout),
        nn.Linear(feature_dim, width),
        nn.BatchNorm1d(width, eps=_EPSILON),
    )


class MeanClassifier(nn.Module):
    """Logits of a face by itself: ``output(mean(features))``.

    Parameters
    ----------
    feature_dim, width, classes : int
        D, the width of the mixed feature, K.
    dropout : float
        Within the branch.

    Attributes
    ----------
    mean : torch.nn.Module
        From ``(B, D)`` to mu, ``(B, width)``.
    output : torch.nn.Linear
        From mu or a mixture of two to logits.
    """

    def __init__(self, feature_dim: int, width: int, classes: int, *, dropout: float) -> None:
        super().__init__()
        self.mean = feature_branch(feature_dim, width, dropout)
        self.output = nn.Linear(width, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits ``(B, K)`` of features ``(B, D)``."""
        logits: Tensor = self.output(self.mean(features))
        return logits


class RelativeUncertainty(nn.Module):
    """``s = mean_d exp(v_d)`` of a branch's log variances v.

    Parameters
    ----------
    feature_dim, width : int
        D and the number of log variances.
    dropout : float
        Within the branch.
    """

    def __init__(self, feature_dim: int, width: int, *, dropout: float) -> None:
        super().__init__()
        self.log_variance = feature_branch(feature_dim, width, dropout)

    def forward(self, features: Tensor) -> Tensor:
        """Return s, ``(B,)`` float32 above 0, of features ``(B, D)``."""
        found = self.log_variance(features).float()
        return torch.exp(found.clamp(max=_LARGEST_LOG_VARIANCE)).mean(dim=1)
