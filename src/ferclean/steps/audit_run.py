"""Step ``audit-run``: which training labels of a run are wrong, with all evidence for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ferclean.audit.duplicates import DuplicateEvidence, duplicate_evidence
from ferclean.audit.examine import Examination, examine
from ferclean.audit.neighbours import look_around
from ferclean.audit.reviewed import with_decisions
from ferclean.errors import FercleanError
from ferclean.methods.runner import look_at_features
from ferclean.report.pictures import face_uri
from ferclean.report.review_page import ReviewRows
from ferclean.steps.audit import write_findings
from ferclean.steps.review_page import FOLDER, PAGE, write_review_page
from ferclean.steps.training_inputs import RunFiles, TrainingInputs, open_training
from ferclean.steps.training_rows import read_faces_and_labels
from ferclean.tables.labels import read_reviewed_rows
from ferclean.tables.partitions import RUNNING_TARGET, Partition, read_partition


def audit_run(
    files: RunFiles,
    *,
    checkpoint: Path,
    partition: Path,
    others: Mapping[str, Path],
    duplicates: Path,
    output: Path,
) -> None:
    """Audit a run's observed labels.

    The verdicts stand on what the run's networks said of a row over time, or, where the recipe
    keeps no such record, on what they say in the end. Everything else is evidence beside them.

    Parameters
    ----------
    files : RunFiles
        The run.
    checkpoint, partition : Path
        Of the last round.
    others : mapping of str to Path
        Partitions of other methods on the same labels; their clean probabilities stand in the
        columns ``<method>_clean_probability``.
    duplicates : Path
        ``duplicates.csv`` of the ingest step.
    output : Path
        Folder for ``audit.parquet``, ``audit.csv`` (a row a training sample), ``audit.json``,
        ``index.html`` and the folder ``review`` of the review page.
    """
    with open_training(files) as inputs:
        features = look_at_features(inputs.run, inputs.load_state(checkpoint))
    labels, classes = inputs.run.context.observed, inputs.training.classes
    sample_id = inputs.training.frame["sample_id"].to_numpy()
    found = read_partition(partition, classes, sample_id)
    copies = _read_duplicates(duplicates, sample_id, labels)
    around = look_around(features, labels, classes=len(classes), seed=files.seed)
    examination = examine(
        label_distributions(found),
        labels,
        classes,
        sample_id,
        around=around,
        evidence={
            **{name: values for name, values in found.evidence.items() if values.ndim == 1},
            **_clean_probabilities(others, inputs),
            "exact_copies": copies.copies,
            "near_copies": copies.near,
            "conflicting_copy": copies.conflicts,
        },
    )
    examination.summary["duplicates"] = {
        "exact": int((copies.copies > 0).sum()),
        "near": int((copies.near > 0).sum()),
        "conflicting": int(copies.conflicts.sum()),
    }
    reviewed = read_reviewed_rows(files.labels)
    if reviewed is not None:
        examination = with_decisions(examination, reviewed)
    _write(examination, files, sample_id, around.nearest, output)


def _write(
    found: Examination, files: RunFiles, sample_id: np.ndarray, nearest: np.ndarray, output: Path
) -> None:
    pack, labels, position = read_faces_and_labels(files.faces, files.labels)
    rows = pd.Index(found.table["sample_id"])
    # The table may hold rows that were not examined: those that people took out.
    examined = rows.get_indexer(pd.Index(sample_id))
    near = np.full((len(rows), nearest.shape[1]), -1, dtype=np.int64)
    near[examined] = examined[nearest]
    place = pd.Index(labels.frame["sample_id"]).get_indexer(rows)
    paths = labels.frame["path"].to_numpy()[place]
    write_review_page(
        ReviewRows(found.table, paths.tolist(), near, labels.classes, labels.dataset),
        pack,
        position[place],
        output / FOLDER,
    )
    at = dict(zip(rows, position[place], strict=True))
    write_findings(
        found,
        output,
        picture_of=lambda name: face_uri(pack[at[name]]),
        review=f"{FOLDER}/{PAGE}",
    )


def label_distributions(partition: Partition) -> np.ndarray:
    """Return what a run believes of each row's class, ``(M, N, K)`` with rows that sum to 1."""
    if RUNNING_TARGET in partition.evidence:
        return partition.evidence[RUNNING_TARGET][None]
    return partition.probabilities


def _clean_probabilities(
    others: Mapping[str, Path], inputs: TrainingInputs
) -> dict[str, np.ndarray]:
    rows = inputs.training
    found = {}
    for method, path in others.items():
        part = read_partition(path, rows.classes, rows.frame["sample_id"].to_numpy())
        found[f"{method}_clean_probability"] = part.clean_probability.mean(axis=0)
    return found


def _read_duplicates(path: Path, sample_id: np.ndarray, labels: np.ndarray) -> DuplicateEvidence:
    try:
        pairs = pd.read_csv(path, dtype=str, keep_default_na=False)
        return duplicate_evidence(pairs, sample_id, labels)
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, KeyError) as error:
        raise FercleanError(f"{path} is no table of duplicates: {error}") from None
