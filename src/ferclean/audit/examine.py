"""A whole audit: verdicts, the evidence beside them, and the summary of the data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ferclean.audit.auditor import audit_labels
from ferclean.audit.evidence import model_evidence, neighbour_evidence
from ferclean.audit.findings import findings_table, summary, verdicts
from ferclean.audit.neighbours import Neighbourhood, far_rows


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes
    ----------
    table : pandas.DataFrame
        See :func:`~ferclean.audit.findings.findings_table`.
    summary : dict
        See :func:`~ferclean.audit.findings.summary`.
    """

    table: pd.DataFrame
    summary: dict[str, Any]


def examine(
    members: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    sample_id: np.ndarray | None = None,
    *,
    around: Neighbourhood | None = None,
    evidence: Mapping[str, np.ndarray] | None = None,
) -> Examination:
    """Audit labels and put down all that speaks for and against each.

    Parameters
    ----------
    members : numpy.ndarray
        ``(M, N, K)``, see :func:`~ferclean.audit.auditor.audit_labels`.
    labels : numpy.ndarray
        ``(N,)`` integers in ``[0, K)``.
    classes : sequence of str
        K names.
    sample_id : numpy.ndarray, optional
        ``(N,)`` names of the rows.
    around : Neighbourhood, optional
        Each row's neighbours in feature space; only with them a row can be out of scope.
    evidence : mapping of str to numpy.ndarray, optional
        Further columns, ``(N,)`` each.

    Returns
    -------
    Examination

    Raises
    ------
    ValueError
        If :func:`~ferclean.audit.auditor.audit_labels` takes no such input.
    """
    audit = audit_labels(members, labels)
    verdict = verdicts(audit, labels, None if around is None else far_rows(around.distance))
    columns = model_evidence(members, labels)
    if around is not None:
        columns |= neighbour_evidence(around, labels)
    columns |= evidence or {}
    return Examination(
        findings_table(audit, labels, classes, sample_id, verdict=verdict, evidence=columns),
        summary(audit, labels, classes, verdict=verdict),
    )
