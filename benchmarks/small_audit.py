"""Audits of small data sets, from a hundred faces on.

    python benchmarks/small_audit.py --data ../shared/data

Runs what ``ferclean audit --data`` runs, with the preset ``audit``: on rendered faces of which a
share has a label drawn at random, or that of the next class, and, where --data names the folder of
``fer2013plus.parquet``, on faces of FER2013 with its own labels, where FER+ is sure of the truth.
The constants of :func:`~ferclean.steps.audit_pictures.fit_to_rows` were chosen with seeds from 100
on. The case ``random 700`` of seed 0 is the folder that docs/own_data.md draws.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from environment import describe_environment, require_data
from ferclean.config.data import DataSettings, RenderedSettings
from ferclean.datasets.fer2013 import read_fer2013_parquet
from ferclean.datasets.rendered.reader import read_rendered
from ferclean.steps.audit_pictures import audit_pictures, picture_settings
from ferclean.tables.atomic import read_json, write_json
from p3_audit import FILE, SURE_VOTES, judge

RECORD = Path(__file__).parent / "results" / "small_audit.json"
SIZES = (100, 300, 700, 1500)
SHARE_OF_ERRORS = 0.2
Case = tuple[str, int, int]  # kind, rows, seed


def cases(seeds: list[int], *, photographs: bool) -> Iterator[Case]:
    """Yield every combination."""
    for kind in ("random", "next", *(["fer2013"] if photographs else [])):
        for rows in SIZES[kind == "fer2013" :]:  # a hundred photographs teach no network anything
            for seed in seeds:
                yield kind, rows, seed


def _name(case: Case) -> str:
    return "-".join(map(str, case))


def draw_faces(kind: str, rows: int, seed: int, folder: Path) -> None:
    """Write rendered faces in class folders; a file's name ends in what the face shows."""
    settings = DataSettings(rendered=RenderedSettings(pictures=rows, seed=seed))
    table, pictures = read_rendered(settings, workers=1)
    random, classes = np.random.default_rng(seed), list(settings.classes)
    for row, (name, jpeg) in zip(table.itertuples(), pictures, strict=True):
        label = str(row.true)
        if random.random() < SHARE_OF_ERRORS:
            after = classes[(classes.index(label) + 1) % len(classes)]
            label = str(random.choice(classes)) if kind == "random" else after
        _write(folder / label / f"{name}_{row.true}.jpg", jpeg)


def choose_photographs(rows: int, seed: int, data: Path, folder: Path) -> None:
    """Write faces of FER2013 in folders of its own labels, where FER+ is sure of the truth."""
    source = read_fer2013_parquet(DataSettings(path=str(data / FILE), labels="given"))
    frame = source.frame
    sure = frame.filter(regex="^votes_").max(axis=1) >= SURE_VOTES
    usable = frame[frame["split"].eq("train") & frame["reason"].isna() & frame["true"].notna()]
    chosen = usable[sure[usable.index]].sample(rows, random_state=seed)
    for row, picture in source.pictures:
        if row in chosen.index:
            found = chosen.loc[row]
            _write(folder / found["given"] / f"{found['sample_id']}_{found['true']}.webp", picture)


def _write(path: Path, picture: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)


def run_case(case: Case, data: Path | None) -> dict[str, Any]:
    """Audit one folder, as a user would, and compare with what its files' names say."""
    kind, rows, seed = case
    with tempfile.TemporaryDirectory() as temporary:
        pictures, output = Path(temporary) / "faces", Path(temporary) / "audit"
        photographs = kind == "fer2013"
        if photographs:
            choose_photographs(rows, seed, data or Path(), pictures)
        else:
            draw_faces(kind, rows, seed, pictures)
        settings = picture_settings(pictures, classes=None, params=None, aligned=photographs)
        started = time.perf_counter()
        audit_pictures(settings=settings, output=output, seed=0, device="cpu", fit_epochs=True)
        seconds = time.perf_counter() - started
        audit = pd.read_csv(output / "audit.csv")
    true = audit["sample_id"].str.extract(r"_([^_.]+)\.\w+$")[0]
    verdicts = audit["verdict"].value_counts().to_dict()
    return {
        "seconds": seconds,
        "verdicts": {str(name): int(count) for name, count in verdicts.items()},
        "called_wrong_rightly": int(
            (audit["verdict"].eq("wrong") & audit["given_label"].ne(true)).sum()
        ),
        **judge(audit, pd.DataFrame({"true": true})),
    }


def main() -> None:
    """Run what is missing and add it to the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of fer2013plus.parquet")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--again", action="store_true", help="run what is on record, too")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if options.data is not None:
        require_data(options.data / FILE)
    known = read_json(options.record)["cases"] if options.record.exists() else {}
    wanted = cases(options.seeds, photographs=options.data is not None)
    due = [case for case in wanted if options.again or _name(case) not in known]
    record: dict[str, Any] = {
        "protocol": "small_audit",
        "command": "python benchmarks/small_audit.py",
        "environment": describe_environment("cpu"),
        "cases": known,
    }
    with ProcessPoolExecutor(options.jobs) as pool:
        pending = {pool.submit(run_case, case, options.data): case for case in due}
        for done in as_completed(pending):
            name = _name(pending[done])
            record["cases"][name] = done.result()
            record["cases"] = dict(sorted(record["cases"].items()))
            print(name, record["cases"][name], flush=True)
            write_json(options.record, record)


if __name__ == "__main__":
    main()
