"""Published backbone weights from a local file: everything fits, or the file is refused."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ferclean.errors import FercleanError
from ferclean.models.network import Network

# Keys under which training scripts nest the weights, and prefixes that wrappers put before names.
_NESTED_IN = ("state_dict", "model_state_dict", "model", "net")
_DEEPEST_NESTING = 2  # a mapping may even hold itself
_WRAPPER_PREFIXES = ("module.", "_orig_mod.")  # DataParallel, torch.compile
_CLASSIFIER = ("classifier.weight", "classifier.bias")
_COUNTER = "num_batches_tracked"


def load_backbone_weights(network: Network, path: str | Path) -> None:
    """Fill a network from a file of weights, strictly.

    Accepted are the names of :class:`~ferclean.models.network.Network` itself and the names
    under which the backbone's weights are published (torchvision for the ResNets and VGG16,
    facenet-pytorch for InceptionResnetV1, DivideMix for the pre-activation ResNet); the weights
    may be nested in ``state_dict`` or ``model`` and carry the prefix ``module.``. Every name and
    shape must fit, with these exceptions and no other:

    * the classifier may be absent, and is left as it was when the file has other classes or a
      recipe has put its own in the place of the linear layer;
    * a recipe's further heads are never in such a file, and are left as they were;
    * layers that published files hold between features and classifier are left out
      (VGG16's second fully connected layer, the embedding of SCN's ResNet-18);
    * the batch counters of all normalisation layers may be absent together (files older than
      torch 0.4.1);
    * a first convolution for RGB is summed over its channels for grey pictures, which is what
      it gives on a grey picture copied to three channels.

    Parameters
    ----------
    network : Network
        Changed in place; unchanged when the file is refused.
    path : str or Path
        A file written by ``torch.save``.

    Raises
    ------
    FercleanError
        If the file is missing, unreadable, holds anything but tensors, or does not fit.
    """
    found = _unwrap(_read(Path(path)), Path(path))
    target = _published_part(network)
    weights = _as_named_here(found, network)
    weights = _sum_stem_channels(weights, target, f"backbone.{network.kind.stem}")
    weights = _settle_classifier(weights, target)
    weights = _settle_counters(weights, target)
    _check_fit(weights, target, Path(path))
    network.load_state_dict({**network.state_dict(), **weights}, strict=True)


def _published_part(network: Network) -> dict[str, torch.Tensor]:
    """Return what a published file can hold: the backbone, and a classifier that is linear."""
    weights = network.state_dict()
    plain = isinstance(network.classifier, nn.Linear)
    return {
        name: value
        for name, value in weights.items()
        if name.startswith("backbone.") or (plain and name in _CLASSIFIER)
    }


def _read(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FercleanError(f"model.weights: file not found: {path}") from None
    except pickle.UnpicklingError:
        raise FercleanError(
            f"model.weights: {path} is refused because it is damaged or holds Python objects other "
            "than tensors, which could run code; save its state_dict alone with torch.save"
        ) from None
    except Exception as error:  # a damaged file can make the reader raise anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FercleanError(f"model.weights: {path} cannot be read: {reason}") from None


def _unwrap(content: Any, path: Path) -> dict[str, torch.Tensor]:
    for _ in range(_DEEPEST_NESTING):
        nested = _nested_keys(content)
        if len(nested) > 1:
            raise FercleanError(
                f"model.weights: {path} holds weights under each of {nested}; "
                "save the wanted one alone"
            )
        content = content[nested[0]] if nested else content
    if not isinstance(content, Mapping) or not content:
        raise FercleanError(f"model.weights: {path} holds no mapping of names to tensors")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise FercleanError(
                f"model.weights: entry {name!r} of {path} is no tensor; save the state_dict alone"
            )
    return _without_prefixes(dict(content))


def _nested_keys(content: Any) -> list[str]:
    if not isinstance(content, Mapping):
        return []
    return [key for key in _NESTED_IN if isinstance(content.get(key), Mapping)]


def _without_prefixes(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for prefix in _WRAPPER_PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def _as_named_here(
    weights: Mapping[str, torch.Tensor], network: Network
) -> dict[str, torch.Tensor]:
    if any(name.startswith("backbone.") for name in weights):
        return dict(weights)
    renamed: dict[str, torch.Tensor] = {}
    published = network.kind.published_classifier
    for name, value in weights.items():
        if name.startswith(published):
            renamed["classifier." + name.removeprefix(published)] = value
        elif not name.startswith(network.kind.unused):
            renamed["backbone." + name] = value
    return renamed


def _sum_stem_channels(
    weights: dict[str, torch.Tensor], target: Mapping[str, torch.Tensor], stem: str
) -> dict[str, torch.Tensor]:
    if stem not in weights or weights[stem].ndim != 4:
        return weights
    if weights[stem].shape[1] == 3 and target[stem].shape[1] == 1:
        return {**weights, stem: weights[stem].sum(dim=1, keepdim=True)}
    return weights


def _settle_classifier(
    weights: dict[str, torch.Tensor], target: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    if not any(name in target for name in _CLASSIFIER):
        return {name: value for name, value in weights.items() if name not in _CLASSIFIER}
    present = [name for name in _CLASSIFIER if name in weights]
    same_classes = [len(weights[n]) == len(target[n]) for n in present if weights[n].ndim > 0]
    if not any(same_classes):
        weights = {**weights, **{name: target[name] for name in _CLASSIFIER}}
    return weights


def _settle_counters(
    weights: dict[str, torch.Tensor], target: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    if any(name.endswith(_COUNTER) for name in weights):
        return weights
    return {**weights, **{name: v for name, v in target.items() if name.endswith(_COUNTER)}}


def _check_fit(
    weights: Mapping[str, torch.Tensor], target: Mapping[str, torch.Tensor], path: Path
) -> None:
    problems = {
        "missing": [name for name in target if name not in weights],
        "unexpected": [name for name in weights if name not in target],
        "of another shape": [
            f"{name} {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
            for name, value in target.items()
            if name in weights and weights[name].shape != value.shape
        ],
        "of another kind of number": [
            f"{name} {weights[name].dtype} instead of {value.dtype}"
            for name, value in target.items()
            if name in weights and weights[name].is_floating_point() != value.is_floating_point()
        ],
    }
    for problem, names in problems.items():
        if names:
            first = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            raise FercleanError(
                f"model.weights: {path} does not fit the backbone: {len(names)} {problem}: {first}"
            )
