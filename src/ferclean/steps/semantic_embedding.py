"""Step ``semantic-embedding``: how each training face relates to the class words."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ferclean.config.embedding import EmbeddingSettings
from ferclean.config.load import Settings
from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.autoencoder import build_autoencoder
from ferclean.partition.class_relations import cosine_graph
from ferclean.progress import epoch_line, say
from ferclean.semantics.table import read_word_vectors
from ferclean.steps.resume_path import resume_path
from ferclean.steps.training_rows import observed_labels, read_faces_and_labels
from ferclean.tables.atomic import write_json, write_text
from ferclean.tables.labels import LabelTable
from ferclean.tables.similarity import write_similarity
from ferclean.train.autoencoder import autoencoder_pass, encode
from ferclean.train.device import arithmetic, choose_device, uses_bfloat16
from ferclean.train.folds import assign_folds
from ferclean.train.loop import PassReport, run_pass
from ferclean.train.pictures import Pictures
from ferclean.train.schedule import build_optimizer
from ferclean.train.seeds import derive_seed
from ferclean.train.state import TrainState, load_torch, save_torch


def semantic_embedding(
    *,
    faces: Path,
    labels: Path,
    word_vectors: Path,
    output: Path,
    seed: int,
    device: str,
    settings: Settings,
) -> None:
    """Train the auto-encoder and write ``similarity.parquet``, ``history.csv``, ``summary.json``.

    The loss is SCE-ALD's equation 1, ``mean (x - x^)^2 + gamma (1 - cos(V(y), g(x)))`` on the
    observed labels. One network a fold is trained on the rows of the other folds, and codes
    the rows of its own.

    Parameters
    ----------
    faces : Path
        ``faces.pack`` of the align step.
    labels : Path
        Label table of the noise step; only its training columns are read.
    word_vectors : Path
        ``word_vectors.csv`` of the word-vectors step.
    output : Path
        Folder to write to.
    seed : int
        Seed of the run.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    settings : Settings
        Sections ``embedding`` and ``training``; of the latter only what the pictures and the
        arithmetic depend on.

    Raises
    ------
    FercleanError
        If the files do not belong together, a word vector is zero, or there are more folds than
        training rows.
    """
    files = (faces, labels, word_vectors)
    with _open(files, seed=seed, device=choose_device(device), settings=settings) as work:
        name = resume_path(
            "semantic-embedding", work.description(), files, code_of="semantic-embedding"
        )
        state, history = _load(name, work) or (work.fresh_state(), _History())
        for _ in range(state.epoch, work.embedding.epochs):
            _run_epoch(work, state, history)
            _save(name, state, history)
        similarity = _similarity(work, state)
        sample_id = work.table.frame["sample_id"].to_numpy()
        write_similarity(sample_id, work.table.classes, similarity, output / "similarity.parquet")
        frame = pd.DataFrame(history.rows)
        write_text(output / "history.csv", frame.to_csv(index=False, lineterminator="\n"))
        write_json(output / "summary.json", _summary(work, history, similarity))
        name.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Work:
    """What stays the same over all epochs."""

    table: LabelTable
    observed: np.ndarray
    vectors: np.ndarray
    fold: np.ndarray
    pictures: Pictures
    shape: tuple[int, int]
    embedding: EmbeddingSettings
    trainer: TrainingSettings
    seed: int
    device: torch.device

    def description(self) -> list[Any]:
        """Return what, beside files and code, decides the result."""
        bfloat16 = uses_bfloat16(self.device, self.trainer.precision)
        settings = (dataclasses.asdict(part) for part in (self.embedding, self.trainer))
        return [*settings, self.seed, self.device.type, bfloat16]

    def fresh_state(self) -> TrainState:
        """Build one seeded auto-encoder a fold."""
        channels, size = self.shape
        networks: list[Any] = []  # to the trainer every torch module is a network
        for number in range(self.embedding.folds):
            network = build_autoencoder(
                self.embedding.encoder,
                code_dimensions=self.vectors.shape[1],
                channels=channels,
                image_size=size,
                seed=derive_seed(self.seed, "autoencoder", number),
            )
            networks.append(network.to(device=self.device, memory_format=torch.channels_last))  # type: ignore[call-overload]
        return TrainState(networks, [build_optimizer(n, self.trainer.optimizer) for n in networks])


@dataclass
class _History:
    rows: list[dict[str, Any]] = field(default_factory=list)
    timing: list[dict[str, float]] = field(default_factory=list)


@contextmanager
def _open(
    files: tuple[Path, Path, Path], *, seed: int, device: torch.device, settings: Settings
) -> Iterator[_Work]:
    faces, labels, words = files
    embedding = settings.embedding
    trainer = dataclasses.replace(
        settings.training,
        warm_up_epochs=embedding.epochs,
        rounds=0,
        batch_size=embedding.batch_size,
        optimizer=embedding.optimizer,
    )
    pack, table, position = read_faces_and_labels(faces, labels)
    training = table.in_split("train")
    observed = observed_labels(table, training, labels)
    vectors = read_word_vectors(words, table.classes)
    if not vectors.any(axis=1).all():
        raise FercleanError(f"{words}: a word vector is zero, so no face can point its way")
    if embedding.folds > len(observed):
        raise FercleanError(
            f"embedding.folds is {embedding.folds}, but there are {len(observed)} training rows"
        )
    say(f"semantic embedding: seed {seed}, {embedding.encoder}, on {device.type}")
    with arithmetic(device, trainer):
        yield _Work(
            table=table.take(training),
            observed=observed,
            vectors=vectors,
            fold=assign_folds(observed, embedding.folds, seed),
            pictures=Pictures(pack, position[training], device=device, settings=trainer),
            shape=(pack.shape[3], pack.shape[1]),
            embedding=embedding,
            trainer=trainer,
            seed=seed,
            device=device,
        )


def _run_epoch(work: _Work, state: TrainState, history: _History) -> None:
    start = time.monotonic()
    reports = []
    wanted = torch.from_numpy(work.vectors[work.observed]).float().to(work.device)
    gamma = work.embedding.cosine_weight
    for number in range(work.embedding.folds):
        others = (work.fold != number) | (work.embedding.folds == 1)
        task = autoencoder_pass(
            number, np.flatnonzero(others), wanted, work.trainer, cosine_weight=gamma
        )
        reports.append(run_pass(task, number, state, work.pictures, work.trainer, seed=work.seed))
    state.epoch += 1
    agreement = _agreement(_similarity(work, state), work.observed)
    history.rows.append(_epoch_row(state.epoch - 1, reports, agreement))
    seconds = time.monotonic() - start
    speed = sum(report.pictures for report in reports) / seconds
    history.timing.append({"seconds": seconds, "images_per_second": speed})
    epochs = work.embedding.epochs
    say(epoch_line(history.rows[-1], history.timing, total=epochs, until=epochs))


def _similarity(work: _Work, state: TrainState) -> np.ndarray:
    """Return ``(N, K)`` cosines of every row's code and the word vectors."""
    codes = encode(state.networks, work.pictures, work.fold, work.trainer)
    return cosine_graph(codes, work.vectors)


def _agreement(similarity: np.ndarray, observed: np.ndarray) -> float:
    """Return the share of rows whose nearest word is that of the observed label."""
    return float((similarity.argmax(axis=1) == observed).mean())


def _epoch_row(epoch: int, reports: list[PassReport], agreement: float) -> dict[str, Any]:
    names = reports[0].losses
    means = {name: float(np.mean([report.losses[name] for report in reports])) for name in names}
    return {
        "epoch": epoch,
        "kind": "autoencoder",
        "loss": means.pop("loss"),
        "learning_rate": reports[-1].learning_rate,
        **means,
        "top1_observed": agreement,
    }


def _summary(work: _Work, history: _History, similarity: np.ndarray) -> dict[str, Any]:
    classes = work.table.classes
    by_class = {
        name: similarity[work.observed == k].mean(axis=0, dtype=np.float64).tolist()
        for k, name in enumerate(classes)
        if (work.observed == k).any()
    }
    return {
        "encoder": work.embedding.encoder,
        "code_dimensions": work.vectors.shape[1],
        "rows": len(work.observed),
        "folds": work.embedding.folds,
        "epochs": work.embedding.epochs,
        "top1_observed": history.rows[-1]["top1_observed"],
        "top1_observed_by_epoch": [row["top1_observed"] for row in history.rows],
        "mean_similarity_by_observed_class": {
            name: dict(zip(classes, values, strict=True)) for name, values in by_class.items()
        },
    }


def _save(path: Path, state: TrainState, history: _History) -> None:
    content = {
        "epoch": state.epoch,
        "networks": [network.state_dict() for network in state.networks],
        "optimizers": [optimizer.state_dict() for optimizer in state.optimizers],
        "rows": json.dumps(history.rows),
        "timing": json.dumps(history.timing),
    }
    save_torch(content, path)


def _load(path: Path, work: _Work) -> tuple[TrainState, _History] | None:
    """Go on after the last finished epoch, or start over where that file cannot be used."""
    if not path.exists():
        return None
    state = work.fresh_state()
    try:
        content = load_torch(path, work.device)
        for part, saved in zip(state.networks, content["networks"], strict=True):
            part.load_state_dict(saved, strict=True)
        for optimizer, saved in zip(state.optimizers, content["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        state.epoch = int(content["epoch"])
        history = _History(json.loads(content["rows"]), json.loads(content["timing"]))
    except (FercleanError, KeyError, TypeError, ValueError, RuntimeError) as error:
        say(f"starting over: {str(error).splitlines()[0]}")
        path.unlink()
        return None
    say(f"resuming after epoch {state.epoch} from {path}")
    return state, history
