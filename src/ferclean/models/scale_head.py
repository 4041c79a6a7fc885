"""A head that says how noisy each logit is."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferclean.errors import unknown_name

PARAMETRISATIONS = ("linear_std", "logit", "linear_variance")
# Keeps the slope of the square root finite.
_SMALLEST_VARIANCE = 1e-12
# Beyond it exp overflows in float32 after squaring; a softmax is a coin toss long before.
_LARGEST_LOG_SCALE = 20.0


class ScaleHead(nn.Linear):
    """Standard deviations ``sigma(x)`` of the logits, from features.

    Weights start at 0 and the bias so that every sigma is `start`. Whoever calls the head gets
    standard deviations, whatever its parametrisation.

    Parameters
    ----------
    feature_dim, classes : int
        D and K.
    parametrisation : str
        What the linear map s gives: ``linear_std`` is ``sigma = softplus(s)``, ``logit`` is
        ``sigma = exp(s)``, ``linear_variance`` is ``sigma^2 = softplus(s)``.
    start : float
        Above 0.

    Raises
    ------
    FercleanError
        For an unknown parametrisation.
    """

    def __init__(
        self, feature_dim: int, classes: int, *, parametrisation: str, start: float
    ) -> None:
        if parametrisation not in PARAMETRISATIONS:
            raise unknown_name("parametrisation of the scale", parametrisation, PARAMETRISATIONS)
        super().__init__(feature_dim, classes)
        self.parametrisation = parametrisation
        nn.init.zeros_(self.weight)
        nn.init.constant_(self.bias, _inverse(start, parametrisation))

    def forward(self, features: Tensor) -> Tensor:
        """Return sigma, ``(B, K)`` float32 above 0, of features ``(B, D)``."""
        found = super().forward(features).float()
        if self.parametrisation == "linear_std":
            return functional.softplus(found)
        if self.parametrisation == "logit":
            return torch.exp(found.clamp(max=_LARGEST_LOG_SCALE))
        return torch.sqrt(functional.softplus(found) + _SMALLEST_VARIANCE)


def _inverse(scale: float, parametrisation: str) -> float:
    """Return s for a wanted sigma."""
    if parametrisation == "logit":
        return math.log(scale)
    return math.log(math.expm1(scale if parametrisation == "linear_std" else scale**2))
