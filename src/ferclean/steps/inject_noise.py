"""Step ``inject-noise``: draw the observed labels that training will see.

What people decided wins over the draw.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ferclean.config.load import Settings
from ferclean.config.noise import NoiseSettings
from ferclean.errors import FercleanError
from ferclean.noise.from_file import match_noise_file, read_noise_file
from ferclean.noise.inject import NOISY_SPLITS
from ferclean.noise.inject import inject_noise as draw_labels
from ferclean.noise.reviewed import with_review
from ferclean.noise.transitions import describe_change
from ferclean.progress import say
from ferclean.tables.atomic import write_json
from ferclean.tables.face_packs import Faces, read_face_pack
from ferclean.tables.labels import (
    ANNOTATION_PREFIX,
    SPLITS,
    LabelTable,
    labels_from_codes,
    make_table,
    read_label_table,
    write_label_table,
)
from ferclean.tables.review import DECISIONS, read_review

_FIRST_COLUMNS = ("sample_id", "path", "split", "given", "observed", "face_row", "true")
_KEPT_PREFIXES = ("votes_", "true_p_")
# Kinds that leave labels as people gave them. Annotators would tell what other kinds hide.
_PEOPLES_KINDS = ("none", "file")


def inject_noise(
    *,
    samples: Path,
    faces: Path,
    output: Path,
    kind: str,
    rate: float,
    seed: int,
    settings: Settings,
) -> None:
    """Write ``labels.parquet``, ``oracle_clean.parquet`` and ``noise.json``.

    Labels of single annotators stay with the kinds ``none`` and ``file`` only: noise is injected
    into the observed label alone, and they would give it away.

    Parameters
    ----------
    samples : Path
        Align's ``samples.parquet``.
    faces : Path
        Align's ``faces.pack``; read for the noise kind ``instance`` only.
    output : Path
        The folder to write to.
    kind : str
        A key of :data:`ferclean.noise.inject.PROTOCOLS`.
    rate : float
        Nominal noise rate in ``[0, 1]``.
    seed : int
        Seed of the draw.
    settings : Settings
        With sections ``noise`` and ``review``.

    Raises
    ------
    FercleanError
        For an input, kind, rate, noise file or review file that does not fit.
    """
    table = read_label_table(samples)
    if "face_row" not in table.frame:
        raise FercleanError(f"{samples}: column 'face_row' is missing")
    given, splits = table.codes("given"), table.frame["split"].to_numpy()
    face_rows = table.frame["face_row"].to_numpy()
    file_codes = _file_codes(table, settings.noise) if kind == "file" else None
    observed = draw_labels(
        given,
        splits,
        kind=kind,
        rate=rate,
        seed=seed,
        classes=table.classes,
        settings=settings.noise,
        pictures=_pictures(faces, face_rows) if kind == "instance" else None,
        face_rows=face_rows,
        file_codes=file_codes,
    )
    true = _truth(table, injected=kind != "none")
    labels = _with_labels(table, observed, true, annotators=kind in _PEOPLES_KINDS)
    summary = {"kind": kind, "rate": rate, "seed": seed} | _summary(labels)
    if file_codes is not None:
        ignored = (splits == "test") & (file_codes >= 0) & (file_codes != given)
        summary["ignored_test_changes"] = int(ignored.sum())
    if settings.review.path is not None:
        decisions, source = read_review(settings.review.path), settings.review.path
        labels, summary["review"] = with_review(
            labels, decisions, compare_given=kind == "none", source=source
        )
    clean = ~labels.in_split("train") | ((true >= 0) & (true == labels.codes("observed")))
    write_label_table(labels, output / "labels.parquet")
    write_label_table(labels.take(clean), output / "oracle_clean.parquet")
    write_json(output / "noise.json", summary)
    _tell(kind, summary)


def _with_labels(
    table: LabelTable, observed: np.ndarray, true: np.ndarray, *, annotators: bool
) -> LabelTable:
    if table.annotations and not annotators:
        say("labels of single annotators are left out: noise is injected into none of them")
    prefixes = (*_KEPT_PREFIXES, *((ANNOTATION_PREFIX,) if annotators else ()))
    full = table.with_columns(
        observed=labels_from_codes(observed, table.classes),
        true=labels_from_codes(true, table.classes),
    ).frame
    names = [str(name) for name in full.columns]
    kept = [name for name in names if name.startswith(prefixes)]
    return make_table(full[[*_FIRST_COLUMNS, *kept]], table.classes, table.dataset)


def _file_codes(table: LabelTable, noise: NoiseSettings) -> np.ndarray:
    if noise.file is None:
        raise FercleanError("noise.file is needed for the noise kind 'file'")
    ids, splits = table.frame["sample_id"].tolist(), table.frame["split"].to_numpy()
    return match_noise_file(read_noise_file(noise.file), ids, splits, table.classes)


def _pictures(faces: Path, face_rows: np.ndarray) -> Faces:
    pictures = read_face_pack(faces)
    if len(face_rows) and not 0 <= face_rows.min() <= face_rows.max() < len(pictures):
        raise FercleanError(
            f"{faces} holds {len(pictures)} faces but the table names face_row {face_rows.max()}"
        )
    return pictures


def _truth(table: LabelTable, *, injected: bool) -> np.ndarray:
    true = table.codes("true") if "true" in table.frame else np.full(len(table), -1)
    # Before injection the given label is the best truth there is.
    return np.where(true < 0, table.codes("given"), true) if injected else true


def _summary(labels: LabelTable) -> dict[str, Any]:
    given, observed, true = (labels.codes(name) for name in ("given", "observed", "true"))
    training = labels.in_split("train")
    by_split = {}
    for split in SPLITS:
        rows = labels.in_split(split)
        by_split[split] = {
            "rows": int(rows.sum()),
            "labelled": int((given[rows] >= 0).sum()),
            "changed": int((given[rows] != observed[rows]).sum()),
            "truth_known": int((true[rows] >= 0).sum()),
        }
    return {
        "dataset": labels.dataset,
        "classes": list(labels.classes),
        "truth_known": bool((true[training] >= 0).any()),
        "splits": by_split,
        "given_to_observed": describe_change(given[training], observed[training], labels.classes),
        "true_to_observed": describe_change(true[training], observed[training], labels.classes),
        "validation_given_to_observed": describe_change(
            given[labels.in_split("val")], observed[labels.in_split("val")], labels.classes
        ),
    }


def _tell(kind: str, summary: dict[str, Any]) -> None:
    parts = []
    for split in NOISY_SPLITS:
        counts = summary["splits"][split]
        parts.append(f"{counts['changed']} of {counts['labelled']} {split} labels changed")
    say(f"noise {kind}: " + ", ".join(parts))
    if "review" in summary:
        _tell_review(summary["review"])
    if summary.get("ignored_test_changes"):
        say(f"noise file: {summary['ignored_test_changes']} changed test labels are ignored")


def _tell_review(found: dict[str, Any]) -> None:
    counts = ", ".join(f"{found[name]} {name.replace('_', ' ')}" for name in DECISIONS)
    say(f"review: {found['decided']} rows decided by people ({counts})")
    if found["test_rows"]:
        say(f"review: {found['test_rows']} of them are test rows, which stay as they are")
    if found["stale"]:
        say(
            f"review: {found['stale']} decisions are about another given label than the row has "
            f"now and are left out, the first is {found['first_stale']!r}; decide again"
        )
    if found["unknown"]:
        say(f"review: {found['unknown']} decisions name no sample of this data set")
