"""How many labels are wrong, by a mixture's own word, and what follows from it."""

from __future__ import annotations

import numpy as np

# DivideMix's lambda_u at 20, 50, 80 and 90 % symmetric noise (Li et al. 2020, Table 7).
NOMINAL_RATES = (0.2, 0.5, 0.8, 0.9)
UNLABELLED_WEIGHTS = {10: (0.0, 25.0, 25.0, 50.0), 100: (25.0, 150.0, 150.0, 150.0)}
# Up to so many classes CIFAR-10's column is the nearer one.
FEW_CLASSES = 20


def estimated_noise_rate(clean_probability: np.ndarray) -> float:
    """Return one minus the mean clean probability of all networks.

    Parameters
    ----------
    clean_probability : numpy.ndarray
        ``(M, N)`` posteriors in [0, 1], at least one.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If there is none, or one is NaN.
    """
    if clean_probability.size == 0 or not np.isfinite(clean_probability).all():
        raise ValueError("clean probabilities must be finite and at least one")
    return float(1.0 - clean_probability.mean(dtype=np.float64))


def unlabelled_weight_for(noise_rate: float, classes: int) -> float:
    """Return lambda_u for a noise rate, interpolated in DivideMix's table.

    The table's rates are nominal: a label is drawn anew from all K classes, so that a share
    ``r (K - 1) / K`` of them is wrong. `noise_rate` is that share. Outside the table its ends
    hold. Its value for asymmetric noise (0 at 40 %) is left out: a rate does not tell the kind.

    Parameters
    ----------
    noise_rate : float
        Share of wrong labels in [0, 1].
    classes : int
        K; up to 20 the column of CIFAR-10 is taken, above that of CIFAR-100.

    Returns
    -------
    float
        At least 0.
    """
    if not 0.0 <= noise_rate <= 1.0:
        raise ValueError(f"noise_rate must lie in [0, 1], found {noise_rate}")
    column = 10 if classes <= FEW_CLASSES else 100
    wrong = np.array(NOMINAL_RATES) * (column - 1) / column
    return float(np.interp(noise_rate, wrong, UNLABELLED_WEIGHTS[column]))
