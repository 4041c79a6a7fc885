"""What the first audit of a run says of the remedy that its labels need.

Every answer but whether to repair is a logistic function of one measure, so that no run hangs on
the last digit of it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ferclean.audit.auditor import Audit

# What first audits find on training rows is recorded by benchmarks/first_audits.py, for the 26,000
# faces of P1 and the rendered ones of P6. Steepness: 0.23 and 0.41 where 40 and 20 % of the labels
# were flipped, 0.63 with FER2013's own labels.
_SHARE_CENTRE, _SHARE_WIDTH = 0.5, 0.03
# Noise rate: 0.27 where all labels are right, 0.40 where 20 % are not, 0.42 where 34 % are not;
# 0.32 to 0.35 on rendered faces with 40 % flips.
_RATE_CENTRE, _RATE_WIDTH = 0.31, 0.01
# Expected rightness: 0.71, 0.78 and 0.84 at 40 % flips, with FER2013's own labels and at 20 %
# flips, 0.89 where all labels are right; 0.87 to 0.89 on rendered faces with 40 % flips, where few
# faces are hard. What is needed where there is noise to fight, and where there is none.
_RIGHT_NEEDED = (0.85, 0.92)
# Share of errors that go one way, by benchmarks/audit_suite.py's small data sets: translation gains
# from about 0.5 on (labels of the next class), and harms below.
_DIRECTED_CENTRE, _DIRECTED_WIDTH = 0.5, 0.03


def measured(audit: Audit) -> np.ndarray:
    """Return what decides over a run: share and urgency of people's errors, expected rightness.

    Returns
    -------
    numpy.ndarray
        ``(3,)`` float64 in [0, 1]: :func:`human_share`, :func:`noise_urgency`, and the share of
        rows for which the audit expects its most likely class to be right.
    """
    right = float(audit.posterior.max(axis=1).mean(dtype=np.float64))
    return np.array([human_share(audit.steepness), noise_urgency(audit.noise_rate), right])


def human_share(steepness: float) -> float:
    """Return how far people's errors rather than flips are met, in [0, 1].

    Parameters
    ----------
    steepness : float
        See :class:`~ferclean.audit.disagreement.Disagreement`.
    """
    return float(expit((steepness - _SHARE_CENTRE) / _SHARE_WIDTH))


def noise_urgency(noise_rate: float) -> float:
    """Return how far an estimated share of wrong labels asks for a remedy, in [0, 1]."""
    return float(expit((noise_rate - _RATE_CENTRE) / _RATE_WIDTH))


def rightness_needed(urgency: float) -> float:
    """Return how right suggestions must be expected to be for repair, in [0, 1].

    Parameters
    ----------
    urgency : float
        See :func:`noise_urgency`; NaN before it is known, and then the result is.
    """
    noisy, clean = _RIGHT_NEEDED
    return clean + (noisy - clean) * urgency


def direction(directed: float) -> float:
    """Return how far a share of errors that go one way asks for translation, in [0, 1]."""
    return float(expit((directed - _DIRECTED_CENTRE) / _DIRECTED_WIDTH))
