"""From what annotators would say to what is likely true.

A network that learns labels as they are given learns to speak as their annotators do: where these
take neutral faces for sad ones, it does too. What the audit believes of the training rows says what
each given label mostly stands for, and its temperature how sure the network is of what is given. By
both a prediction is translated::

    P(true = k | x) = sum_j P(given = j | x) P(true = k | given = j)

This is of use where errors go one way. Where two classes are taken for each other alike, all that
it does is to pull towards the more frequent one.
"""

from __future__ import annotations

import numpy as np

from ferclean.relabel.sharpen import sharpen


def label_meaning(posterior: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what each given label stands for.

    Parameters
    ----------
    posterior : numpy.ndarray
        ``(N, K)``, how likely each class is the true one of a row; rows sum to 1.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``, as given.

    Returns
    -------
    numpy.ndarray
        ``(K, K)`` float64, given by true class, rows sum to 1; a label that nobody gave means
        itself.
    """
    classes = posterior.shape[1]
    meaning = np.eye(classes)
    for label in range(classes):
        rows = labels == label
        if rows.any():
            meaning[label] = posterior[rows].mean(axis=0, dtype=np.float64)
    return meaning


def directed_share(meaning: np.ndarray, labels: np.ndarray) -> float:
    """Return which share of the believed errors goes one way.

    With ``J_jk`` rows that are given j and believed to be k:
    ``sum_{j<k} |J_jk - J_kj| / sum_{j != k} J_jk``.

    Parameters
    ----------
    meaning : numpy.ndarray
        ``(K, K)`` of :func:`label_meaning`.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``, as given.

    Returns
    -------
    float
        In [0, 1]: 0 where each error is matched by its reverse or there are none, 1 where none
        is.
    """
    joint = meaning * np.bincount(labels, minlength=len(meaning))[:, None]
    errors = float(joint.sum() - np.trace(joint))
    return float(np.abs(joint - joint.T).sum()) / 2.0 / errors if errors > 0 else 0.0


def translate(
    probabilities: np.ndarray, meaning: np.ndarray, *, temperature: float, share: float
) -> np.ndarray:
    """Translate predictions of given labels to predictions of true ones.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)``, rows sum to 1.
    meaning : numpy.ndarray
        ``(K, K)`` of :func:`label_meaning`.
    temperature : float
        At which predictions are as sure of given labels as they should be, above 0.
    share : float
        In [0, 1]: how far the translation is believed; 0 changes nothing.

    Returns
    -------
    numpy.ndarray
        ``(N, K)`` float32, rows sum to 1.
    """
    said = probabilities.astype(np.float64)
    translated = sharpen(said, temperature) @ meaning
    return ((1.0 - share) * said + share * translated).astype(np.float32)
