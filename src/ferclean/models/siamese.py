"""The two small heads of SimSiam (Chen and He 2021, arXiv 2011.10566)."""

from __future__ import annotations

from torch import nn


def two_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return linear, batch normalisation, ReLU, linear.

    Parameters
    ----------
    inputs, hidden, outputs : int
        Widths.
    """
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )
