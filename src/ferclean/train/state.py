"""A checkpoint: everything that the next epoch needs, and nothing that runs code on loading."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ferclean.config.training import ModelSettings, OptimizerSettings
from ferclean.errors import FercleanError, shown
from ferclean.models.network import HeadBuilder, Network
from ferclean.models.registry import build_network
from ferclean.tables.atomic import atomic_path
from ferclean.train.schedule import build_optimizer
from ferclean.train.seeds import derive_seed

_FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """What a checkpoint was made for; a step refuses a checkpoint made for anything else.

    Attributes
    ----------
    method : str
        Name of the recipe.
    classes : tuple of str
        Class order of the logits.
    channels, image_size : int
        Shape of a face.
    seed : int
        Seed of the run.
    normalise_mean, normalise_scale : tuple of float
        Preprocessing of pixels in [0, 1], one number or one a channel.
    model : ModelSettings
        Backbone.
    """

    method: str
    classes: tuple[str, ...]
    channels: int
    image_size: int
    seed: int
    normalise_mean: tuple[float, ...]
    normalise_scale: tuple[float, ...]
    model: ModelSettings

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, the form in which it stands in the file."""
        values = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


@dataclass
class TrainState:
    """Networks, optimisers, position and per-sample memories of one run.

    Attributes
    ----------
    networks : list of Network
    optimizers : list of torch.optim.Optimizer
        One a network.
    epoch : int
        Number of finished epochs, warm-up included.
    memory : dict of str to numpy.ndarray
        What a recipe remembers of each training row from epoch to epoch.
    """

    networks: list[Network]
    optimizers: list[torch.optim.Optimizer]
    epoch: int = 0
    memory: dict[str, np.ndarray] = field(default_factory=dict)


def fresh_state(
    identity: Identity,
    networks: int,
    optimizer: OptimizerSettings,
    device: torch.device,
    *,
    heads: HeadBuilder | None = None,
    learning_rate_factors: Mapping[str, float] | None = None,
) -> TrainState:
    """Build seeded networks (each with its own seed) and their optimisers.

    Parameters
    ----------
    identity : Identity
        Backbone, classes, shape of a face, seed. Published weights are the caller's to load.
    networks : int
        How many, at least 1.
    optimizer : OptimizerSettings
        Of each network.
    device : torch.device
        Where they are to be.
    heads : callable, optional
        A recipe's own modules, see :meth:`ferclean.methods.base.Recipe.heads`.
    learning_rate_factors : mapping of str to float, optional
        Factors of the parameters whose name starts so, see
        :class:`ferclean.methods.base.Recipe`; all others have 1.

    Returns
    -------
    TrainState
        Before the first epoch, without memory; networks in train mode, channels last.

    Raises
    ------
    FercleanError
        For an unknown backbone, or faces that it cannot take.
    """
    built = []
    for number in range(networks):
        network = build_network(
            identity.model,
            classes=len(identity.classes),
            channels=identity.channels,
            image_size=identity.image_size,
            seed=derive_seed(identity.seed, "network", number),
            heads=heads,
        )
        built.append(network.to(device=device, memory_format=torch.channels_last))  # type: ignore[call-overload]
    factors = learning_rate_factors
    return TrainState(built, [build_optimizer(network, optimizer, factors) for network in built])


def state_to_dict(state: TrainState, identity: Identity) -> dict[str, Any]:
    """Return the checkpoint's content as tensors and plain values."""
    return {
        "format": _FORMAT,
        "identity": identity.as_dict(),
        "epoch": state.epoch,
        "networks": [network.state_dict() for network in state.networks],
        "optimizers": [optimizer.state_dict() for optimizer in state.optimizers],
        "memory": {key: torch.from_numpy(value) for key, value in state.memory.items()},
    }


def restore_state(
    state: TrainState, content: dict[str, Any], identity: Identity, where: Any
) -> None:
    """Fill a fresh state from a checkpoint's content, strictly.

    Parameters
    ----------
    state : TrainState
        As many networks and optimisers as the checkpoint's; changed in place, and of no use
        after an error.
    content : dict
        What :func:`load_torch` read of a file that holds what :func:`state_to_dict` gave.
    identity : Identity
        What this run is; that of the checkpoint must equal it.
    where : Path or str
        Names the checkpoint in errors.

    Raises
    ------
    FercleanError
        If it is no checkpoint of this format, was made for another method, class order, seed,
        preprocessing, model or shape of a face, or its tensors do not fit.
    """
    found = content.get("format") if isinstance(content, dict) else None
    if not isinstance(found, int) or found != _FORMAT:
        raise FercleanError(f"{where} is not a ferclean checkpoint of format {_FORMAT}")
    try:
        _check_identity(content.get("identity"), identity, where)
        for network, tensors in zip(state.networks, content["networks"], strict=True):
            network.load_state_dict(tensors, strict=True)
        for optimizer, saved in zip(state.optimizers, content["optimizers"], strict=True):
            # Moments only: decay and momentum are today's settings, like the learning rate.
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": saved["state"], "param_groups": groups})
        state.epoch = int(content["epoch"])
        state.memory = {key: value.cpu().numpy() for key, value in content["memory"].items()}
    except FercleanError:
        raise
    # What is no tensor where one should be can make PyTorch raise anything.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FercleanError(f"checkpoint {where} does not fit this run: {reason}") from None


def _check_identity(found: Any, identity: Identity, where: Any) -> None:
    if not isinstance(found, dict):
        raise FercleanError(f"{where} does not say what it was made for")
    for key, value in identity.as_dict().items():
        if found.get(key) != value:
            raise FercleanError(
                f"checkpoint {where} was made for {key} {shown(found.get(key))}, "
                f"but this run has {value!r}"
            )


def save_torch(content: dict[str, Any], path: str | Path) -> None:
    """Write tensors and plain values atomically; equal content gives equal bytes."""
    buffer = io.BytesIO()  # a file would store its own, temporary, name inside the archive
    torch.save(content, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_torch(path: str | Path, device: torch.device) -> Any:
    """Read tensors and plain values; anything that could run code is refused."""
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise FercleanError(f"checkpoint not found: {path}") from None
    except Exception:  # a damaged file can make the reader raise anything
        raise FercleanError(
            f"{path} is not a readable checkpoint (truncated, or holding more than tensors)"
        ) from None
