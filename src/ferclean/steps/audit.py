"""``ferclean audit``: which labels are wrong, from files of labels and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ferclean.audit.auditor import audit_labels
from ferclean.audit.findings import findings_table, summary
from ferclean.audit.inputs import common_classes, stacked
from ferclean.errors import FercleanError
from ferclean.progress import say
from ferclean.tables.atomic import atomic_path, write_json
from ferclean.tables.audit_inputs import LABEL_COLUMN, read_given_labels, read_probabilities


def audit_files(
    *,
    labels: Path,
    probabilities: Sequence[Path],
    output: Path,
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
        Folder for ``audit.parquet``, ``audit.csv`` (a row a sample, in the order of the labels)
        and ``audit.json`` (the whole).
    classes : sequence of str, optional
        Names of the probabilities' columns.
    label_column : str
        Column of the labels.

    Raises
    ------
    FercleanError
        If a file cannot be read or files do not fit each other.
    """
    given = read_given_labels(labels, label_column)
    files = [read_probabilities(path) for path in probabilities]
    names = common_classes(given, files, classes)
    members, codes = stacked(given, files, names)
    try:
        audit = audit_labels(members, codes)
    except ValueError as error:
        raise FercleanError(f"{', '.join(map(str, probabilities))}: {error}") from None
    table = findings_table(audit, codes, names, given.sample_id)
    with atomic_path(output / "audit.parquet") as temporary:
        pq.write_table(
            pa.Table.from_pandas(table, preserve_index=False), temporary, compression="zstd"
        )
    with atomic_path(output / "audit.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    found = summary(audit, codes, names)
    write_json(output / "audit.json", found)
    low, high = found["noise_rate_bounds"]
    say(
        f"{len(codes):,} labels: {found['verdicts']['wrong']:,} wrong, "
        f"{found['verdicts']['ambiguous']:,} ambiguous; estimated share of wrong labels "
        f"{found['noise_rate']:.1%} (between {low:.1%} and {high:.1%})"
    )
