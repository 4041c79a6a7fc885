"""``ferclean export-model``: a trained model for use without its run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import ferclean
from ferclean.errors import FercleanError
from ferclean.predict.facts import ModelFacts
from ferclean.progress import say
from ferclean.report.notices import AI_ACT, PERCEIVED
from ferclean.steps.model_files import (
    FACTS_NAME,
    WEIGHTS_NAME,
    file_digest,
    name_tensors,
    read_model,
)
from ferclean.steps.onnx_graph import write_graph
from ferclean.steps.predictions import read_run_predictions
from ferclean.steps.run_places import only_model, place_of
from ferclean.steps.trained_model import TrainedModel
from ferclean.tables.atomic import atomic_folder
from ferclean.tables.labels import read_label_table

GRAPH_NAME = "model.onnx"
_RESULTS = Path("results")
_INTENDED_USE = f"{PERCEIVED} {AI_ACT}"


def export_model(*, model: Path | None, output: Path, onnx: bool) -> None:
    """Write weights and side-car, and the graph if it is wanted, as one folder.

    Parameters
    ----------
    model : Path, optional
        See :func:`~ferclean.steps.model_files.read_model`; without it the one model below
        ``results``.
    output : Path
        Folder that does not exist: it gets ``model.safetensors``, ``model.json`` and perhaps
        ``model.onnx``, and appears whole or not at all.
    onnx : bool
        Whether to write ``model.onnx``.

    Raises
    ------
    FercleanError
        If the model cannot be read, a package is missing or the folder exists.
    """
    path = model or only_model(_RESULTS)
    trained = read_model(path, "cpu")
    facts = dataclasses.replace(trained.facts, training=_training(trained.facts, path))
    trained = dataclasses.replace(trained, facts=facts)
    with atomic_folder(output) as folder:
        weights = _write_weights(trained, folder / WEIGHTS_NAME)
        description = {
            **facts.as_dict(),
            "weights": {"file": WEIGHTS_NAME, "sha256": weights},
            "libraries": _libraries(),
            "intended_use": _INTENDED_USE,
        }
        text = json.dumps(description, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / FACTS_NAME).write_text(text + "\n", encoding="utf-8")
        if onnx:
            write_graph(trained, description, folder / GRAPH_NAME)
    say(f"{path} is now {output}/: {', '.join(sorted(f.name for f in output.iterdir()))}")


def _write_weights(model: TrainedModel, path: Path) -> str | None:
    """Write the tensors and return the file's SHA-256."""
    try:
        from safetensors.torch import save_file
    except ModuleNotFoundError:
        raise FercleanError(
            "ferclean export-model needs the package safetensors: install ferclean[export]"
        ) from None
    path.touch()  # with the usual rights; safetensors would keep others from reading it
    save_file(name_tensors(model), path)
    return file_digest(path)


def _training(facts: ModelFacts, path: Path) -> dict[str, Any]:
    """Return where a model comes from: what its run's files tell, null where they are not there.

    A model that was exported before keeps what it says.
    """
    place = None if path.suffix != ".pt" else place_of(path)
    if "settings_digest" in facts.training:
        return facts.training
    told = json.dumps(facts.as_dict(), sort_keys=True).encode()
    return {
        "run": place.run if place else None,
        **facts.training,
        "settings_digest": hashlib.sha256(told).hexdigest(),
        "labels_sha256": file_digest(place.labels) if place else None,
        "faces_sha256": file_digest(place.aligned / "faces.pack") if place else None,
        "dataset": _dataset(place.labels) if place else None,
        "metrics": _metrics(path, place.labels) if place else {},
    }


def _dataset(labels: Path) -> str | None:
    if not labels.is_file():
        return None
    return read_label_table(labels, ("sample_id", "path", "split")).dataset


def _metrics(checkpoint: Path, labels: Path) -> dict[str, Any]:
    """Measure the checkpoint on the validation rows, by their labels as training sees them."""
    if not labels.is_file() or not (checkpoint.parent / "predictions.npz").is_file():
        return {}
    table = read_label_table(labels, ("sample_id", "path", "split", "observed"))
    table = table.take(table.in_split("val") & (table.codes("observed") >= 0))
    if not len(table):
        return {"val_rows": 0}
    said = read_run_predictions([checkpoint.parent]).of_rows(table)[-1]
    right = float(np.mean(said.argmax(axis=1) == table.codes("observed")))
    return {"val_rows": len(table), "val_accuracy_observed": right}


def _libraries() -> dict[str, str]:
    found = {"ferclean": ferclean.__version__}
    for name in ("torch", "safetensors", "onnx", "onnxscript", "facenet-pytorch", "Pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
