"""Refined, guessed and sharpened label distributions (MixMatch, DivideMix)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:  # an audit of arrays needs no torch
    import torch

Array = TypeVar("Array", np.ndarray, "torch.Tensor")


def sharpen(probabilities: Array, temperature: float) -> Array:
    """Return ``p^(1/T) / sum_k p_k^(1/T)`` for every row.

    Parameters
    ----------
    probabilities : array or Tensor
        ``(..., K)``, rows sum to 1.
    temperature : float
        T > 0; 1 changes nothing, towards 0 the largest class takes all.

    Returns
    -------
    array or Tensor
        As given. Dividing by the row's maximum first keeps small temperatures from
        underflowing to 0 / 0.
    """
    if isinstance(probabilities, np.ndarray):
        powered = (probabilities / probabilities.max(-1, keepdims=True)) ** (1.0 / temperature)
        return powered / powered.sum(-1, keepdims=True)
    powered = (probabilities / probabilities.amax(-1, keepdim=True)) ** (1.0 / temperature)
    return powered / powered.sum(-1, keepdim=True)


def co_refine(
    one_hot: Array, probabilities: Array, clean_probability: Array, temperature: float
) -> Array:
    """Return ``sharpen(w * y + (1 - w) * p, T)``, DivideMix's target of labelled rows.

    Parameters
    ----------
    one_hot : array or Tensor
        ``(B, K)`` observed labels y.
    probabilities : array or Tensor
        ``(B, K)`` the network's mean prediction p over the views.
    clean_probability : array or Tensor
        ``(B,)`` w from the other network's mixture.
    temperature : float
        T.
    """
    weight = clean_probability[:, None]
    return sharpen(weight * one_hot + (1 - weight) * probabilities, temperature)
