"""Confident learning (Northcutt, Jiang and Chuang, JAIR 2021, arXiv 1911.00068).

Which labels are wrong, from probabilities that each row's own label had no part in: the rules of
cleanlab 2.9 in NumPy alone, so that a training job needs no further package.
"""

from __future__ import annotations

import numpy as np

from ferclean.errors import unknown_name

RULES = ("prune_by_noise_rate", "prune_by_class", "both", "argmax")
# cleanlab's constants: slack of comparisons, and a threshold that no probability reaches.
_SLACK = 1e-6
_LOWEST_THRESHOLD = 2e-6
_OUT_OF_REACH = 2.0


def find_label_errors(
    probabilities: np.ndarray, observed: np.ndarray, *, rule: str = "prune_by_noise_rate"
) -> np.ndarray:
    """Tell which observed labels are wrong.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(N, K)``, out of sample, rows sum to 1.
    observed : numpy.ndarray
        ``(N,)`` int64 labels in ``[0, K)``.
    rule : str
        ``prune_by_noise_rate``: for every pair of observed class i and other class j, as many
        rows as the confident joint counts there, with the largest ``p_j - p_i``.
        ``prune_by_class``: of every class as many rows as it counts off the diagonal, with the
        smallest ``p_i``. ``both``: what both rules name. ``argmax``: every row with a more
        likely class.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` bool. A label that is the most likely class is never called wrong, nor that of
        a class's only row (but by ``argmax``). Of equal rows the earlier one goes first.

    Raises
    ------
    FercleanError
        For an unknown rule.
    ValueError
        If the shapes do not fit or a probability is not finite.
    """
    if rule not in RULES:
        raise unknown_name("rule of confident learning", rule, RULES)
    exact, observed = _checked(probabilities, observed)
    disagrees = _most_likely(exact, observed) != observed
    if rule == "argmax" or len(observed) == 0:
        return disagrees
    counts = _counts_to_prune(_confident_joint(exact, observed))
    wrong = np.zeros(len(observed), dtype=bool)
    for label in range(exact.shape[1]):
        members = np.flatnonzero(observed == label)
        if len(members) > 1:
            wrong[members] = _wrong_in_class(exact[members], label, counts[label], rule)
    return wrong & disagrees


def _wrong_in_class(
    probabilities: np.ndarray, label: int, counts: np.ndarray, rule: str
) -> np.ndarray:
    """Apply a rule to the rows of one observed class, ``(n, K)``; `counts` is its row, ``(K,)``."""
    own = probabilities[:, label]
    by_class = _largest(-own, len(own) - int(counts[label]))
    if rule == "prune_by_class":
        return by_class
    by_noise_rate = np.zeros(len(own), dtype=bool)
    for other in np.flatnonzero(counts):
        if other != label:
            by_noise_rate |= _largest(probabilities[:, other] - own, int(counts[other]))
    return by_noise_rate & by_class if rule == "both" else by_noise_rate


def _confident_joint(probabilities: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Estimate how many rows there are of each observed and each true class, ``(K, K)`` int64.

    A class is a candidate where its probability reaches the mean probability of that class
    among the rows labelled so; the candidate with the largest one is the guess, and rows
    without candidate count nowhere. Every class is taken to have one right row at least; counts
    are scaled to the numbers of observed labels and rounded so that each row keeps its sum.
    """
    classes = probabilities.shape[1]
    candidate = probabilities >= _class_thresholds(probabilities, observed) - _SLACK
    number = candidate.sum(axis=1)
    guess = np.where(number > 1, probabilities.argmax(axis=1), candidate.argmax(axis=1))
    pairs = (observed * classes + guess)[number > 0]
    joint = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    np.fill_diagonal(joint, joint.diagonal().clip(min=1))
    return _calibrate(joint, np.bincount(observed, minlength=classes))


def _class_thresholds(probabilities: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the mean of ``p_k`` over the rows labelled k; out of reach for an empty class."""
    classes = probabilities.shape[1]
    own = probabilities[np.arange(len(observed)), observed]
    number = np.bincount(observed, minlength=classes)
    total = np.bincount(observed, weights=own, minlength=classes)
    mean = np.where(number > 0, total / np.maximum(number, 1), _OUT_OF_REACH)
    return np.maximum(mean, _LOWEST_THRESHOLD)


def _calibrate(joint: np.ndarray, label_counts: np.ndarray) -> np.ndarray:
    """Scale the counts so that rows sum to the observed labels and all to N, as integers."""
    scaled = (joint.T / joint.sum(axis=1) * label_counts).T
    scaled = scaled / max(scaled.sum(), 1.0) * label_counts.sum()
    return np.stack([_round_keeping_sum(row) for row in scaled])


def _round_keeping_sum(values: np.ndarray) -> np.ndarray:
    """Round; what the sum then lacks is made up where rounding took or gave the most.

    Of equal remainders the later class is raised and the earlier one lowered first, as in
    cleanlab, whose sort is stable for few classes only.
    """
    rounded = values.round()
    missing = int(values.sum().round() - rounded.sum())
    # Rounding shifts a value by one half at most, so that one step an entry is enough.
    order = np.argsort(values - rounded, kind="stable")
    changed = order[::-1][:missing] if missing > 0 else order[: abs(missing)]
    rounded[changed] += np.sign(missing)
    return rounded.astype(np.int64)


def _counts_to_prune(joint: np.ndarray) -> np.ndarray:
    """Leave every class one right row at least, taken evenly from its counts of errors."""
    kept = np.maximum(joint.diagonal(), 1)
    kinds = np.maximum(np.count_nonzero(joint, axis=1) - 1.0, 1.0)
    counts = joint - ((kept - joint.diagonal()) / kinds)[:, None]
    np.fill_diagonal(counts, kept)
    return np.maximum(counts, 0.0).astype(np.int64)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Mark the `count` largest of ``(n,)`` values in linear time; ties go to the earlier row."""
    if count <= 0:
        return np.zeros(len(values), dtype=bool)
    if count >= len(values):
        return np.ones(len(values), dtype=bool)
    limit = np.partition(values, len(values) - count)[len(values) - count]
    chosen = values > limit
    chosen[np.flatnonzero(values == limit)[: count - int(chosen.sum())]] = True
    return chosen


def _most_likely(probabilities: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the largest entry of each row; the observed one where it is as large, but a hair."""
    rows = np.arange(len(observed))
    own = probabilities[rows, observed] + _SLACK
    best = probabilities.argmax(axis=1)
    return np.where(own >= probabilities[rows, best], observed, best)


def _checked(probabilities: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if probabilities.ndim != 2 or observed.shape != probabilities.shape[:1]:
        raise ValueError(f"expected (N, K) and (N,): {probabilities.shape}, {observed.shape}")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities must be finite")
    if len(observed) and not 0 <= observed.min() <= observed.max() < probabilities.shape[1]:
        raise ValueError(f"labels must lie in [0, {probabilities.shape[1]})")
    return probabilities.astype(np.float64), observed.astype(np.int64)
