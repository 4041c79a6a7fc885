"""Read a model from a checkpoint of the workflow or from an exported file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ferclean.config.methods import MethodsSettings
from ferclean.errors import FercleanError
from ferclean.predict.facts import FORMAT, ModelFacts, read_facts
from ferclean.progress import say
from ferclean.steps.run_places import place_of
from ferclean.steps.trained_model import TrainedModel, build_model
from ferclean.steps.training_inputs import MADE_WITH
from ferclean.tables.atomic import read_json
from ferclean.train.device import choose_device
from ferclean.train.state import load_torch

WEIGHTS_NAME, FACTS_NAME = "model.safetensors", "model.json"
_NETWORK, _MEMORY = "networks", "memory"


def read_model(path: Path, device: str = "auto", *, margin: float | None = None) -> TrainedModel:
    """Read a model to predict with.

    Parameters
    ----------
    path : Path
        ``checkpoint.pt`` of a run, ``model.safetensors`` with its side-car beside it, or the
        folder that ``ferclean export-model`` wrote.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    margin : float, optional
        Context around a face, instead of the model's own.

    Raises
    ------
    FercleanError
        If a file is missing or damaged, or files do not fit each other.
    """
    if path.is_dir():
        path = path / WEIGHTS_NAME
    if not path.is_file():
        raise FercleanError(f"there is no model at {path}")
    chosen = choose_device(device)
    told: Any = None
    if path.suffix == ".safetensors":
        told = read_json(path.with_suffix(".json"))
        facts = read_facts(told, str(path.with_suffix(".json")))
        weights, memory = read_weights(path)
    else:
        content = load_torch(path, torch.device("cpu"))
        facts = checkpoint_facts(content, path)
        weights = content["networks"]
        memory = {name: values.numpy() for name, values in content["memory"].items()}
    if margin is not None:
        cut = dataclasses.replace(facts.preprocessing, margin=margin)
        facts = dataclasses.replace(facts, preprocessing=cut)
    model = build_model(facts, weights, memory, device=chosen, where=str(path))
    if told is not None:
        _check_digest(path, told)
    return model


def _check_digest(path: Path, told: dict[str, Any]) -> None:
    """Refuse weights that fit the side-car but are not those that it describes."""
    described = told.get("weights")
    if isinstance(described, dict) and described.get("sha256") != file_digest(path):
        raise FercleanError(
            f"{path} is not the file that {path.with_suffix('.json').name} beside it describes: "
            "export the model again"
        )


def file_digest(path: Path) -> str | None:
    """Return a file's SHA-256, or ``None`` where there is no file."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checkpoint_facts(content: Any, path: Path) -> ModelFacts:
    """Return what a checkpoint and the files of its run say of it.

    Raises
    ------
    FercleanError
        If it is no checkpoint of ferclean.
    """
    try:
        made_for, networks = content["identity"], len(content["networks"])
        made_with = json.loads(content.get(MADE_WITH, "{}"))
        raw = {
            "format": FORMAT,
            "classes": made_for["classes"],
            "preprocessing": {
                "size": made_for["image_size"],
                "channels": made_for["channels"],
                "normalise_mean": made_for["normalise_mean"],
                "normalise_scale": made_for["normalise_scale"],
                **_alignment(path),
            },
            "backbone": {"name": made_for["model"]["name"]},
            "method": {"name": made_for["method"], "settings": _settings(made_for, made_with)},
            "networks": networks,
            "epochs": content["epoch"],
            "warm_up_epochs": made_with.get("warm_up_epochs", 0),
            "training": {"seed": made_for["seed"], "settings": made_with},
        }
        tensors = [content["memory"], *content["networks"]]
        if not all(isinstance(each, torch.Tensor) for part in tensors for each in part.values()):
            raise TypeError("not all of its weights are tensors")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FercleanError(f"{path} is not a checkpoint of ferclean: {error!r}") from None
    if not made_with:
        say(f"{path} does not tell its method's settings: the defaults are taken")
    return read_facts(raw, str(path))


def _settings(made_for: dict[str, Any], made_with: dict[str, Any]) -> dict[str, Any]:
    name = made_for["method"]
    if name not in {each.name for each in dataclasses.fields(MethodsSettings)}:
        return {}
    return made_with.get("method", dataclasses.asdict(MethodsSettings().of(name)))


def _alignment(path: Path) -> dict[str, Any]:
    """Return how the faces of training were cut, by the summary of the align step."""
    place = place_of(path)
    summary = None if place is None else place.aligned / "summary.json"
    if summary is None or not summary.is_file():
        say(f"no align step was found for {path}: faces are cut by the template, without margin")
        return {"detector": "mtcnn", "margin": 0.0}
    found = read_json(summary)
    return {key: found[key] for key in ("detector", "margin")}


def read_weights(path: Path) -> tuple[list[dict[str, torch.Tensor]], dict[str, np.ndarray]]:
    """Read the weights of each network, and the memory, of a safetensors file.

    Raises
    ------
    FercleanError
        If the file cannot be read or names anything else.
    """
    networks: dict[int, dict[str, torch.Tensor]] = defaultdict(dict)
    memory = {}
    for name, tensor in _read_tensors(path).items():
        kind, _, rest = name.partition(".")
        number, _, weight = rest.partition(".")
        if kind == _MEMORY:
            memory[rest] = tensor.numpy()
        elif kind == _NETWORK and number.isdecimal() and weight:
            networks[int(number)][weight] = tensor
        else:
            raise FercleanError(f"{path} holds {name!r}, which is no weight of a ferclean model")
    if sorted(networks) != list(range(len(networks))) or not networks:
        raise FercleanError(f"{path} must number its networks from 0, found {sorted(networks)}")
    return [networks[number] for number in sorted(networks)], memory


def name_tensors(model: TrainedModel) -> dict[str, torch.Tensor]:
    """Return a model's tensors by the names that :func:`read_weights` takes."""
    named = {
        f"{_NETWORK}.{number}.{name}": tensor.detach().cpu().contiguous()
        for number, network in enumerate(model.networks)
        for name, tensor in network.state_dict().items()
    }
    kept = {f"{_MEMORY}.{name}": torch.from_numpy(a.copy()) for name, a in model.memory.items()}
    return {**named, **kept}


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError:
        raise FercleanError(
            f"{path} needs the package safetensors: install ferclean[export]"
        ) from None
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise FercleanError(f"{path} is not a readable safetensors file: {error}") from None
    return tensors
