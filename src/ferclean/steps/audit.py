"""``ferclean audit`` of arrays: which labels are wrong, by files of probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ferclean.audit.examine import Examination, examine
from ferclean.audit.inputs import common_classes, stacked
from ferclean.audit.neighbours import Neighbourhood, look_around
from ferclean.errors import FercleanError
from ferclean.progress import say
from ferclean.report.audit_page import render_audit_page
from ferclean.tables.atomic import atomic_path, write_csv, write_json, write_text
from ferclean.tables.audit_inputs import (
    LABEL_COLUMN,
    read_features,
    read_given_labels,
    read_probabilities,
)

_TITLE = "Which labels are wrong"
# Faces of each verdict on the page: a megabyte at most.
_GALLERY = 60
_FILES = ("audit.parquet", "audit.csv", "audit.json", "index.html")
_NAMES_SHOWN = 8
# Out of fold hardly a model agrees with so many labels; one that learnt them by heart does.
_ROWS_TO_WARN, _BY_HEART = 100, 0.999


def audit_files(
    *,
    labels: Path,
    probabilities: Sequence[Path],
    output: Path,
    features: Path | None = None,
    classes: Sequence[str] | None = None,
    label_column: str = LABEL_COLUMN,
) -> None:
    """Audit given labels by the probabilities of one or several models.

    Parameters
    ----------
    labels : Path
        See :func:`~ferclean.tables.audit_inputs.read_given_labels`.
    probabilities : sequence of Path
        One file a model or more, see :func:`~ferclean.tables.audit_inputs.read_probabilities`.
    output : Path
        Folder for ``audit.parquet``, ``audit.csv`` (a row a sample, in the order of the labels),
        ``audit.json`` (the whole) and ``index.html``.
    features : Path, optional
        NPY file ``(N, D)``, rows as in the labels. It tells which rows are unlike all others.
    classes : sequence of str, optional
        Names of the probabilities' columns.
    label_column : str
        Column of the labels.

    Raises
    ------
    FercleanError
        If a file cannot be read or files do not fit each other.
    """
    _spare_inputs(output, [labels, *probabilities])
    given = read_given_labels(labels, label_column)
    files = [read_probabilities(path) for path in probabilities]
    try:
        names = common_classes(given, files, classes)
        members, codes = stacked(given, files, names)
    except FercleanError as error:
        raise FercleanError(f"{labels} and {', '.join(map(str, probabilities))}: {error}") from None
    if not classes and all(each.classes is None for each in files):
        say(f"columns of probabilities are taken for the classes {_listed(names)}, in this order")
    around = None if features is None else _look_around(features, codes, len(names))
    try:
        found = examine(members, codes, names, given.sample_id, around=around)
    except ValueError as error:
        raise FercleanError(f"{', '.join(map(str, probabilities))}: {error}") from None
    write_findings(found, output)
    _warn_of_learning_by_heart(found)


def _warn_of_learning_by_heart(found: Examination) -> None:
    agree = (found.table["predicted_label"] == found.table["given_label"]).mean()
    if len(found.table) >= _ROWS_TO_WARN and agree >= _BY_HEART:
        say(
            f"{agree:.1%} of the predictions agree with their label: a model that was trained on "
            "these rows finds nothing wrong with them; take predictions made out of fold"
        )


def write_findings(
    found: Examination,
    output: Path,
    *,
    picture_of: Callable[[str], str] | None = None,
    review: str | None = None,
) -> None:
    """Write an audit's table, summary and page, and say in one line what was found.

    Parameters
    ----------
    found : Examination
    output : Path
        Folder for ``audit.parquet``, ``audit.csv``, ``audit.json`` and ``index.html``.
    picture_of, review : optional
        See :func:`~ferclean.report.audit_page.render_audit_page`.
    """
    table, whole = found.table, found.summary
    with atomic_path(output / "audit.parquet") as temporary:
        pq.write_table(
            pa.Table.from_pandas(table, preserve_index=False), temporary, compression="zstd"
        )
    write_csv(output / "audit.csv", table, float_format="%.6g")
    write_json(output / "audit.json", whole)
    write_text(
        output / "index.html",
        render_audit_page(
            table, whole, title=_TITLE, gallery=_GALLERY, picture_of=picture_of, review=review
        ),
    )
    low, high = whole["noise_rate_bounds"]
    counts = ", ".join(
        f"{whole['verdicts'][name]:,} {name.replace('_', ' ')}"
        for name in ("wrong", "ambiguous", "out_of_scope")
    )
    say(
        f"{whole['rows']:,} labels: {counts}; estimated share of wrong labels "
        f"{whole['noise_rate']:.1%} ({low:.1%} to {high:.1%} by what counts as an error)"
    )


def _spare_inputs(output: Path, inputs: Sequence[Path]) -> None:
    """Refuse to write over what is read."""
    written = {(output / name).resolve() for name in _FILES}
    for path in inputs:
        if path.resolve() in written:
            raise FercleanError(f"--out {output} would write over {path}: name another folder")


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _NAMES_SHOWN:
        return ", ".join(names)
    return ", ".join((*names[: _NAMES_SHOWN - 2], "...", names[-1]))


def _look_around(path: Path, labels: np.ndarray, classes: int) -> Neighbourhood:
    try:
        return look_around(read_features(path), labels, classes=classes)
    except ValueError as error:
        raise FercleanError(f"{path}: {error}") from None
