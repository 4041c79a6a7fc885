"""Where to cut between right and wrong labels, without any clean label."""

from __future__ import annotations

import numpy as np


def expected_f1_cut_off(wrong_probability: np.ndarray) -> float:
    """Return the cut-off at which calling rows wrong has the largest expected F1.

    With the n rows of largest probability called wrong, ``F1 = 2 S_n / (n + S_N)`` where S_n is
    the sum of their probabilities and S_N that of all (Lipton, Elkan and Naryanaswamy, ECML 2014:
    the best cut-off is half of the best F1).

    Parameters
    ----------
    wrong_probability : numpy.ndarray
        ``(N,)`` in [0, 1].

    Returns
    -------
    float
        Rows of at least this probability are wrong; above 1 (none is) where there is no row or
        no doubt at all.
    """
    ordered = np.sort(wrong_probability.astype(np.float64))[::-1]
    if len(ordered) == 0 or ordered[0] <= 0.0:
        return float(np.nextafter(1.0, 2.0))
    sums = np.cumsum(ordered)
    expected = 2.0 * sums / (np.arange(1, len(ordered) + 1) + sums[-1])
    return float(ordered[int(expected.argmax())])
