"""Mixing of features by their relative uncertainty (RUL, Zhang et al., NeurIPS 2021)."""

from __future__ import annotations

from torch import Tensor

from ferclean.losses.classification import cross_entropy


def mix_by_uncertainty(features: Tensor, uncertainty: Tensor, partners: Tensor) -> Tensor:
    """Return ``s_i / (s_i + s_j) mu_i + s_j / (s_i + s_j) mu_j`` with j the partner of i.

    The share of a feature grows with its own uncertainty: to recognise both faces in the mixture
    the network must call the harder one the less certain.

    Parameters
    ----------
    features : Tensor
        ``(B, D)`` mu.
    uncertainty : Tensor
        ``(B,)`` s > 0.
    partners : Tensor
        ``(B,)`` int64, a permutation.

    Returns
    -------
    Tensor
        ``(B, D)`` float32.
    """
    other = uncertainty[partners]
    share = (uncertainty / (uncertainty + other)).float()[:, None]
    values = features.float()
    return share * values + (1.0 - share) * values[partners]


def add_up_loss(logits: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    """Return ``CE(z_i, y_i) / 2 + CE(z_i, y_j) / 2`` with j the partner of i.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)`` of the mixed features.
    labels, partners : Tensor
        ``(B,)`` int64.

    Returns
    -------
    Tensor
        ``(B,)`` float32.
    """
    own, other = cross_entropy(logits, labels), cross_entropy(logits, labels[partners])
    return 0.5 * own + 0.5 * other
