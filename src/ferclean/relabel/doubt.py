"""What to do with a label, given how much of the doubt is the picture's and how much is ours."""

from __future__ import annotations

import numpy as np

from ferclean.relabel.decision import Relabelling

_HARD = "the networks disagree, the picture is hard or rare (epistemic doubt)"
_AMBIGUOUS = "the picture is ambiguous (aleatoric doubt)"
_CONTRADICTED = "a sure prediction contradicts the label"
_AGREES = "the expected softmax agrees with the label"


def decide_by_doubt(
    probabilities: np.ndarray,
    observed: np.ndarray,
    clean_probability: np.ndarray,
    *,
    aleatoric: np.ndarray,
    epistemic: np.ndarray,
    aleatoric_quantile: float,
    epistemic_quantile: float,
) -> Relabelling:
    """Keep hard rows, soften ambiguous ones, relabel where a sure prediction contradicts.

    Doubt is high where it lies above a quantile of all rows: under label noise every entropy
    rises, so that no fixed limit fits. Hard goes before ambiguous; both go before the prediction.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)`` expected softmax.
    observed : numpy.ndarray
        ``(N,)`` int64.
    clean_probability : numpy.ndarray
        ``(N,)`` in [0, 1], handed on.
    aleatoric, epistemic : numpy.ndarray
        ``(N,)`` entropies.
    aleatoric_quantile, epistemic_quantile : float
        In [0, 1].

    Returns
    -------
    Relabelling
        Contradicted rows take the expected softmax, and its most likely class as label (ties go
        to the observed one). Ambiguous ones take the expected softmax too, but keep the observed
        label: which class such a picture shows is what is in doubt. All others stay as they are.
    """
    rows, classes = np.arange(len(observed)), probabilities.shape[1]
    hard = _above_quantile(epistemic, epistemic_quantile)
    ambiguous = _above_quantile(aleatoric, aleatoric_quantile) & ~hard
    contradicted = probabilities[rows, observed] < probabilities.max(axis=1, initial=0.0)
    relabelled = contradicted & ~hard & ~ambiguous
    taken = relabelled | ambiguous
    one_hot = np.eye(classes, dtype=np.float32)[observed]
    return Relabelling(
        distribution=np.where(taken[:, None], probabilities, one_hot).astype(np.float32),
        clean_probability=clean_probability.astype(np.float32),
        label=np.where(relabelled, probabilities.argmax(axis=1), observed).astype(np.int64),
        weight=np.ones(len(observed), dtype=np.float32),
        action=np.select([relabelled, taken], ["relabel", "soften"], "keep"),
        reason=np.select(
            [hard, ambiguous, contradicted], [_HARD, _AMBIGUOUS, _CONTRADICTED], _AGREES
        ),
    )


def _above_quantile(values: np.ndarray, quantile: float) -> np.ndarray:
    """Mark what lies above a quantile; nothing where all values are equal."""
    limit = np.quantile(values, quantile, method="lower") if len(values) else 0.0
    above: np.ndarray = values > limit
    return above
