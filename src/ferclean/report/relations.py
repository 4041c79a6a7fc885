"""How faces relate to classes: label distributions of examples, mean class relations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ferclean.evaluate.distributions import SMALLEST_SHARE
from ferclean.evaluate.truth import known_distributions
from ferclean.report.contents import RunData, judged_rows
from ferclean.report.heat_maps import HeatMap, heat_map
from ferclean.tables.labels import LabelTable

# A page with more faces than these a run would be long and no clearer.
_MOST_FACES = 8
# A table is soft where its rows hold, in the mean, at least this much beside the largest entry.
_SOFT = 0.02
# What a partition may hold beside its score, and what the page says of it.
_RELATIONS = {
    "semantic_similarity": (
        "Faces and class words",
        "Mean cosine of a face's code and each class word, by observed label.",
        "class word",
    ),
    "task_similarity": (
        "Faces and class prototypes",
        "Mean cosine of a face's feature and each class prototype, by observed label.",
        "class prototype",
    ),
}


@dataclass(frozen=True)
class ShareBar:
    """One class of one face; ``true`` is ``None`` where nobody knows."""

    name: str
    suggested: float
    true: float | None


@dataclass(frozen=True)
class FaceDistribution:
    """One face with all its classes."""

    sample_id: str
    picture: str
    observed: str
    bars: tuple[ShareBar, ...]


def label_distributions(
    labels: LabelTable, picture_of: Callable[[str], str]
) -> list[FaceDistribution]:
    """Choose example faces and collect their suggested and true label distributions.

    Parameters
    ----------
    labels : LabelTable
        Repaired table with ``p_<class>``, and ``true_p_<class>`` where the truth is known.
    picture_of : callable
        Turns a sample_id into a data URI.

    Returns
    -------
    list of FaceDistribution
        Of each observed label at most one face, 8 in all: the one of middling certainty, among
        compound expressions where there are any. Empty where the suggestions are hard labels.
    """
    judged = judged_rows(labels)
    suggested, true = judged.matrix("p_"), known_distributions(judged)
    if not len(judged) or float((1.0 - suggested.max(axis=1)).mean()) < _SOFT:
        return []
    compound = (true > SMALLEST_SHARE).sum(axis=1) == 2
    faces: list[FaceDistribution] = []
    for code, name in enumerate(judged.classes):
        rows = np.flatnonzero(judged.codes("observed") == code)
        rows = rows[compound[rows]] if compound[rows].any() else rows
        if len(rows) and len(faces) < _MOST_FACES:
            by_certainty = rows[np.argsort(suggested[rows].max(axis=1), kind="stable")]
            row = int(by_certainty[(len(rows) - 1) // 2])
            sample_id = str(judged.frame["sample_id"].iloc[row])
            bars = _bars(judged.classes, suggested[row], true[row])
            faces.append(FaceDistribution(sample_id, picture_of(sample_id), name, bars))
    return faces


def _bars(
    classes: tuple[str, ...], suggested: np.ndarray, true: np.ndarray
) -> tuple[ShareBar, ...]:
    return tuple(
        ShareBar(name, float(suggested[k]), float(true[k]) if np.isfinite(true[k]) else None)
        for k, name in enumerate(classes)
    )


def relation_maps(run: RunData) -> list[HeatMap]:
    """Map the mean class relations of the last round by observed label, where a run has them."""
    if not run.partitions:
        return []
    classes, observed = run.labels.classes, judged_rows(run.labels).codes("observed")
    evidence = run.partitions[max(run.partitions)].evidence
    return [
        heat_map(
            _means_by_class(evidence[name], observed),
            classes,
            title=title,
            row_axis="observed label",
            column_axis=column_axis,
            kind="similarity",
            note=note,
        )
        for name, (title, note, column_axis) in _RELATIONS.items()
        if name in evidence
    ]


def _means_by_class(values: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Average ``(N, K)`` values over the rows of each class; NaN for a class without rows."""
    classes = values.shape[1]
    means = np.full((classes, classes), np.nan)
    for code in np.unique(observed[observed >= 0]):
        means[code] = values[observed == code].mean(axis=0, dtype=np.float64)
    return means
