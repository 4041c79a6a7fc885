"""Per-sample losses of an auto-encoder whose code is drawn to word vectors."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def reconstruction_error(reconstruction: Tensor, pictures: Tensor) -> Tensor:
    """Return ``mean (x - x^)^2`` over the values of every picture.

    Parameters
    ----------
    reconstruction, pictures : Tensor
        ``(B, C, H, W)``.

    Returns
    -------
    Tensor
        ``(B,)`` float32, at least 0.
    """
    return (reconstruction.float() - pictures.float()).square().flatten(1).mean(dim=1)


def cosine_distance(codes: Tensor, vectors: Tensor) -> Tensor:
    """Return ``1 - cos(v_i, g_i)`` for every row.

    Parameters
    ----------
    codes, vectors : Tensor
        ``(B, D)``.

    Returns
    -------
    Tensor
        ``(B,)`` float32 in [0, 2].
    """
    return 1.0 - functional.cosine_similarity(codes.float(), vectors.float(), dim=1)
