"""The workflow's steps for a benchmark, called in this process.

Files lie below a working folder as they lie below ``results`` in the workflow.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from environment import require_data
from ferclean.config.load import Settings, build_settings
from ferclean.config.runs import parse_setting
from ferclean.config.side_inputs import SIDE_INPUTS, side_inputs
from ferclean.tables.atomic import read_json


def digest_of(params: dict[str, Any]) -> str:
    """Digest settings, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]


def scratch_folder(folder: Path, params: dict[str, Any]) -> Path:
    """Return a folder of these settings alone: no file is taken for one of other settings."""
    return folder / digest_of(params)[:8]


def in_work(work: Path, path: str) -> Path:
    """Return where a file of the workflow lies below the working folder."""
    return work / Path(path).relative_to("results")


def prepare(work: Path, settings: Settings) -> None:
    """Ingest and align once."""
    from ferclean.steps.align import align
    from ferclean.steps.ingest import ingest

    folder = work / "prepare"
    if not (folder / "align" / "samples.parquet").exists():
        if settings.data.path is not None:
            require_data(settings.data.path)
        ingest(output=folder / "ingest", settings=settings)
        align(
            samples=folder / "ingest" / "samples.parquet",
            pictures=folder / "ingest" / "pictures.arrow",
            output=folder / "align",
            settings=settings,
        )


def inject(work: Path, setting: str, settings: Settings) -> None:
    """Inject one setting's noise."""
    from ferclean.steps.inject_noise import inject_noise

    kind, rate, seed = parse_setting(setting)
    inject_noise(
        samples=work / "prepare" / "align" / "samples.parquet",
        faces=work / "prepare" / "align" / "faces.pack",
        output=work / "noise" / setting,
        kind=kind,
        rate=rate,
        seed=seed,
        settings=settings,
    )


def _make_word_vectors(work: Path, target: Path, settings: Settings, device: str) -> None:
    from ferclean.steps.word_vectors import word_vectors

    word_vectors(output=target.parent, settings=settings)


def _make_similarity(work: Path, target: Path, settings: Settings, device: str) -> None:
    from ferclean.steps.semantic_embedding import semantic_embedding

    setting = target.parent.name
    words = in_work(work, SIDE_INPUTS["word_vectors"])
    if not words.exists():
        _make_word_vectors(work, words, settings, device)
    semantic_embedding(
        faces=work / "prepare" / "align" / "faces.pack",
        labels=work / "noise" / setting / "labels.parquet",
        word_vectors=words,
        output=target.parent,
        seed=parse_setting(setting).seed,
        device=device,
        settings=settings,
    )


# How a side input is made, by its name; those not named here are made by `prepare`.
MAKERS: dict[str, Callable[[Path, Path, Settings, str], None]] = {
    "semantic_similarity": _make_similarity,
    "word_vectors": _make_word_vectors,
}


def make_side_inputs(work: Path, name: str, path: str, params: dict[str, Any], device: str) -> None:
    """Make a file that some methods read beside faces and labels, where it is missing."""
    target = in_work(work, path)
    if name in MAKERS and not target.exists():
        MAKERS[name](work, target, build_settings(params), device)


def train_and_evaluate(
    work: Path, settings: Settings, setting: str, method: str, seed: int, device: str
) -> tuple[dict[str, float], dict[str, Any]]:
    """Train and evaluate one run; return its seconds of training, by clock and CPU, and metrics."""
    from ferclean.steps.chain import train_all_rounds
    from ferclean.steps.evaluate import evaluate
    from ferclean.steps.training_inputs import RunFiles

    name, noise = f"{setting}/{method}", work / "noise" / setting
    labels = noise / ("oracle_clean.parquet" if method == "oracle_clean" else "labels.parquet")
    side = {n: in_work(work, path) for n, path in side_inputs(method, setting).items()}
    faces = work / "prepare" / "align" / "faces.pack"
    files = RunFiles(faces, labels, method, seed, device, settings, side)
    started, started_cpu = time.time(), time.process_time()
    train_all_rounds(files, pretrained=work / "pretrain" / name, denoised=work / "denoise" / name)
    seconds = {
        "training_seconds": round(time.time() - started, 1),
        "training_cpu_seconds": round(time.process_time() - started_cpu, 1),
    }
    evaluate(
        labels=noise / "labels.parquet",
        pretrain=work / "pretrain" / name,
        denoise=work / "denoise" / name,
        rounds=settings.training.rounds,
        output=work / "evaluate" / name,
        settings=settings,
    )
    return seconds, read_json(work / "evaluate" / name / "metrics.json")
