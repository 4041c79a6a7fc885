"""A small head that says how much one face tells about another."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PairWeights(nn.Module):
    """Learned weight of every ordered pair of a batch's rows.

    The pair (i, j) is the first half of i's and the second half of j's projection; three
    layers with ReLU between them end in one logit (LA-Net's two-way softmax, whose first share
    it uses, is the sigmoid of the two logits' difference).

    Parameters
    ----------
    width : int
        D of the vectors, at least 1.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half = max(width // 2, 1)
        self.first, self.second = nn.Linear(width, half), nn.Linear(width, half)
        self.score = nn.Sequential(
            nn.Linear(2 * half, half),
            nn.ReLU(),
            nn.Linear(half, max(half // 2, 1)),
            nn.ReLU(),
            nn.Linear(max(half // 2, 1), 1),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Return weights in (0, 1).

        Parameters
        ----------
        vectors : Tensor
            ``(B, D)``.

        Returns
        -------
        Tensor
            ``(B, B)``; ``[i, j]`` is the weight of j for i.
        """
        rows = len(vectors)
        own = self.first(vectors)[:, None].expand(rows, rows, -1)
        other = self.second(vectors)[None].expand(rows, rows, -1)
        return torch.sigmoid(self.score(torch.cat([own, other], dim=2)).squeeze(2).float())
