"""An audit in a person's words: a table of rows and a summary of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ferclean.audit.auditor import Audit
from ferclean.tables.audit_inputs import ID_COLUMN, PROBABILITY_PREFIX

VERDICTS = ("correct", "wrong", "ambiguous", "out_of_scope")
_MOST_PAIRS = 20


def verdicts(
    audit: Audit, labels: np.ndarray, out_of_scope: np.ndarray | None = None
) -> np.ndarray:
    """Give each label a verdict.

    Parameters
    ----------
    audit : Audit
    labels : numpy.ndarray
        ``(N,)`` int64, those that were audited.
    out_of_scope : numpy.ndarray, optional
        ``(N,)`` bool: rows unlike all others.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` text: ``out_of_scope`` for those rows. Of the others ``correct`` above the
        cut-off; below it ``wrong`` where another class is more likely, ``ambiguous`` where the
        given one still is the most likely of all.
    """
    doubted = np.where(audit.suggested_label == labels, "ambiguous", "wrong")
    found = np.where(audit.is_wrong, doubted, "correct")
    return found if out_of_scope is None else np.where(out_of_scope, "out_of_scope", found)


def findings_table(
    audit: Audit,
    labels: np.ndarray,
    classes: Sequence[str],
    sample_id: np.ndarray | None,
    *,
    verdict: np.ndarray,
    evidence: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Return one row a sample, in the order of the input.

    Parameters
    ----------
    audit : Audit
        Of N labels over K classes.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``, those that were audited.
    classes : sequence of str
        K names.
    sample_id : numpy.ndarray or None
        ``(N,)`` names of the rows.
    verdict : numpy.ndarray
        ``(N,)`` text of :data:`VERDICTS`, see :func:`verdicts`.
    evidence : mapping of str to numpy.ndarray, optional
        Further columns, ``(N,)`` each.

    Returns
    -------
    pandas.DataFrame
        ``sample_id`` (the row's number from 0 where there is none), ``given_label``,
        ``label_quality``, ``suggested_label``, ``verdict``, ``predicted_label``, ``p_<class>``,
        and one a name of `evidence`.

    Raises
    ------
    ValueError
        If the lengths differ, a label has no class or two classes share a name.
    """
    names = np.array(list(classes), dtype=object)
    columns: dict[str, Any] = {
        ID_COLUMN: np.arange(len(labels)) if sample_id is None else sample_id,
        "given_label": pd.Categorical.from_codes(labels, categories=pd.Index(names)),
        "label_quality": audit.label_quality,
        "suggested_label": pd.Categorical.from_codes(
            audit.suggested_label, categories=pd.Index(names)
        ),
        "verdict": pd.Categorical(verdict, categories=list(VERDICTS)),
        "predicted_label": pd.Categorical.from_codes(audit.predicted, categories=pd.Index(names)),
    }
    for code, name in enumerate(classes):
        columns[f"{PROBABILITY_PREFIX}{name}"] = audit.posterior[:, code]
    return pd.DataFrame({**columns, **(evidence or {})})


def summary(
    audit: Audit,
    labels: np.ndarray,
    classes: Sequence[str],
    *,
    verdict: np.ndarray,
) -> dict[str, Any]:
    """Describe the data set: how many labels are wrong, of which kind, and where.

    Parameters
    ----------
    audit, labels, classes, verdict
        As :func:`findings_table` takes them.

    Returns
    -------
    dict
        JSON-able: ``rows``, ``classes``, ``noise_rate``, ``noise_rate_bounds``, ``verdicts``
        (rows of each), ``cut_off``, ``steepness``, ``temperatures``, ``by_class`` (rows, noise
        rate and rows called wrong of each given class), ``transitions`` (true by given class)
        and ``worst_pairs`` (given, suggested, rows called wrong; at most 20).
    """
    doubt = 1.0 - audit.label_quality.astype(np.float64)
    wrong = verdict == "wrong"
    return {
        "rows": len(labels),
        "classes": list(classes),
        "noise_rate": audit.noise_rate,
        "noise_rate_bounds": list(audit.noise_rate_bounds),
        "verdicts": {name: int((verdict == name).sum()) for name in VERDICTS},
        "cut_off": audit.cut_off,
        "steepness": audit.steepness,
        "temperatures": audit.temperatures.tolist(),
        "by_class": {
            name: {
                "rows": int((labels == code).sum()),
                "noise_rate": float(doubt[labels == code].mean()) if code in labels else None,
                "wrong": int(wrong[labels == code].sum()),
            }
            for code, name in enumerate(classes)
        },
        "transitions": audit.transitions.tolist(),
        "worst_pairs": worst_pairs(labels[wrong], audit.suggested_label[wrong], classes),
    }


def worst_pairs(
    given: np.ndarray, suggested: np.ndarray, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Count the pairs of given and suggested label, ``(n,)`` int64 each; the 20 most frequent."""
    width = len(classes)
    pairs = given * width + suggested
    counts = np.bincount(pairs, minlength=width * width)
    worst = np.argsort(-counts, kind="stable")[:_MOST_PAIRS]
    return [
        {"given": classes[pair // width], "suggested": classes[pair % width], "rows": int(count)}
        for pair, count in zip(worst.tolist(), counts[worst].tolist(), strict=True)
        if count
    ]
