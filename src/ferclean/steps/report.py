"""Step ``report``: one offline HTML page about everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ferclean.config.load import Settings
from ferclean.errors import FercleanError
from ferclean.progress import say
from ferclean.report.contents import (
    CLASS_COLUMNS,
    NoiseData,
    PreparedData,
    ReportData,
    RunData,
    judged_rows,
)
from ferclean.report.page import render_page
from ferclean.steps.summarised_runs import summarised_runs
from ferclean.tables.atomic import read_json, write_text
from ferclean.tables.csv_files import read_csv
from ferclean.tables.face_packs import read_face_pack
from ferclean.tables.labels import LabelTable, read_label_table
from ferclean.tables.partitions import read_partition


def report(
    *,
    prepare: Path,
    noise: Path,
    semantics: Path,
    denoise: Path,
    evaluations: Path,
    summary: Path,
    run: Sequence[str],
    output: Path,
    settings: Settings,
) -> None:
    """Write the page.

    Parameters
    ----------
    prepare, noise, semantics, denoise, evaluations, summary : Path
        Folders of results. What `semantics` does not hold is left out of the page.
    run : sequence of str
        Runs as ``<setting>/<method>``, as for the summary.
    output : Path
        The HTML file.
    settings : Settings
        Section ``report``.

    Raises
    ------
    FercleanError
        If a run is not in the summary, or a file is missing or broken.
    """
    names, results = summarised_runs(summary, run)
    costs = read_csv(summary / "timing.csv")
    runs = [
        _read_run(name, names[name].setting, names[name].method, denoise, evaluations)
        for name in results["run"]
    ]
    similarity = semantics / "similarity.csv"
    words = semantics / "summary.json"
    data = ReportData(
        prepared=_read_prepared(prepare),
        noise={name: _read_noise(noise / name) for name in dict.fromkeys(r.setting for r in runs)},
        similarity=pd.read_csv(similarity, index_col=0) if similarity.is_file() else None,
        semantics=read_json(words) if words.is_file() else {},
        runs=runs,
        results=results,
        seeds=read_csv(summary / "seeds.csv"),
        costs=costs[costs["run"].isin(names)].reset_index(drop=True),
    )
    page = render_page(data, settings.report)
    write_text(output, page)
    say(f"{output}: {len(runs)} runs, {len(page.encode()) / 1e6:.1f} MB")


def _read_prepared(folder: Path) -> PreparedData:
    steps = ("ingest", "align")
    columns = ("sample_id", "path", "reason")
    quarantine = [
        read_csv(folder / step / "quarantine.csv", columns).assign(step=step) for step in steps
    ]
    samples = read_label_table(folder / "align" / "samples.parquet")
    faces = read_face_pack(folder / "align" / "faces.pack")
    if "face_row" not in samples.frame or not samples.frame["face_row"].lt(len(faces)).all():
        raise FercleanError(
            f"{folder / 'align' / 'samples.parquet'}: no face_row for {faces.shape}"
        )
    return PreparedData(
        samples=samples,
        faces=faces,
        quarantine=pd.concat(quarantine, ignore_index=True)[["step", "reason"]],
        duplicates=read_csv(folder / "ingest" / "duplicates.csv"),
        conflicts=read_csv(folder / "ingest" / "conflicts.csv"),
        summaries={step: read_json(folder / step / "summary.json") for step in steps},
    )


def _read_noise(folder: Path) -> NoiseData:
    return NoiseData(
        labels=read_label_table(folder / "labels.parquet"),
        summary=read_json(folder / "noise.json"),
    )


def _read_run(name: str, setting: str, method: str, denoise: Path, evaluations: Path) -> RunData:
    folder = evaluations / name
    tables: dict[str, Any] = {
        table: read_csv(folder / f"{table}.csv", texts=CLASS_COLUMNS)
        for table in ("epochs", "rounds", "confusion", "calibration")
    }
    labels = read_label_table(folder / "labels.parquet")
    return RunData(
        name=name,
        setting=setting,
        method=method,
        metrics=read_json(folder / "metrics.json"),
        labels=labels,
        partitions=_read_partitions(denoise / name, labels, tables["rounds"]["round"].tolist()),
        **tables,
    )


def _read_partitions(folder: Path, labels: LabelTable, rounds: Sequence[int]) -> dict[int, Any]:
    """Read the partitions that are there; a recipe need not leave one a round."""
    ids = judged_rows(labels).frame["sample_id"].to_numpy()
    paths = {number: folder / f"round_{number}" / "partition.parquet" for number in rounds}
    return {
        number: read_partition(path, labels.classes, ids)
        for number, path in paths.items()
        if path.is_file()
    }
