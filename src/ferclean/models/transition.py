"""Row-stochastic transition matrices that are learned beside a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TransitionMatrices(nn.Module):
    """One matrix of chances ``T_a[k, j]`` an annotator.

    Like the layer of LTNet's code, the parameters themselves are brought back to stochastic rows
    at every use: negative entries take a small value, then rows are divided by their sums. Unlike
    there, gradients pass through that division: a likelihood ``(p T)_j`` rises with every entry of
    T, and without it each step would only move all rows towards the uniform one.

    Parameters
    ----------
    annotators, classes : int
        A and K.
    diagonal, smallest : float
        Both above 0: rows start with `diagonal` on the diagonal and `smallest` elsewhere, then
        are normalised. Negative entries go back to where those off the diagonal started.

    Attributes
    ----------
    matrices : torch.nn.Parameter
        ``(A, K, K)``.
    """

    def __init__(self, annotators: int, classes: int, *, diagonal: float, smallest: float) -> None:
        super().__init__()
        start = torch.full((classes, classes), smallest).fill_diagonal_(diagonal)
        rows = stochastic_rows(start, smallest)
        self.smallest = float(rows.min())
        self.matrices = nn.Parameter(rows.repeat(annotators, 1, 1))

    def forward(self) -> Tensor:
        """Return the matrices, ``(A, K, K)``, rows at least 0 and summing to 1."""
        with torch.no_grad():
            self.matrices.copy_(stochastic_rows(self.matrices, self.smallest))
        return stochastic_rows(self.matrices, self.smallest)


def stochastic_rows(values: Tensor, smallest: float) -> Tensor:
    """Return values with negative ones replaced by `smallest` and rows divided by their sums.

    Parameters
    ----------
    values : Tensor
        ``(..., K, K)``.
    smallest : float
        Above 0. A row of zeros becomes uniform.
    """
    positive = torch.where(values < 0, torch.full_like(values, smallest), values)
    empty = positive.sum(dim=-1, keepdim=True) == 0
    positive = torch.where(empty, torch.ones_like(positive), positive)
    return positive / positive.sum(dim=-1, keepdim=True)
