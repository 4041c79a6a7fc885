"""What the networks say of every picture: one pass in eval mode without augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.network import Network
from ferclean.train.device import autocast
from ferclean.train.pictures import Pictures
from ferclean.train.workers import workers

# Fixed, so that a file step and an epoch inside a round get the same bits.
_EVAL_BATCH = 512


@dataclass(frozen=True)
class Observation:
    """What M networks say of N pictures.

    Attributes
    ----------
    logits : numpy.ndarray
        ``(M, N, K)`` float32.
    outputs : mapping of str to numpy.ndarray
        ``(M, N, ...)`` float32 of each further output that was asked for.
    epoch : int
        Epochs that these networks were trained for, warm-up included.
    warm_up_epochs: int
        How many of a run's epochs are its warm-up.
    """

    logits: np.ndarray
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    epoch: int = 0
    warm_up_epochs: int = 0


def observe(
    networks: Sequence[Network],
    pictures: Pictures,
    settings: TrainingSettings,
    *,
    outputs: Sequence[str] = (),
    epoch: int = 0,
) -> Observation:
    """Return every network's outputs for every picture.

    Parameters
    ----------
    networks : sequence of Network
        M networks; put in eval mode and left there.
    pictures : Pictures
        N pictures, at least one.
    settings : TrainingSettings
        Precision, and the length of warm-up.
    outputs : sequence of str
        What is noted beside the logits, see :meth:`Network.outputs`.
    epoch : int
        Noted in the observation.

    Returns
    -------
    Observation

    Raises
    ------
    FercleanError
        If an output is NaN or infinite.
    """
    device, crew = next(networks[0].parameters()).device, workers()
    names = ("logits", *outputs)
    found: dict[str, list[list[torch.Tensor]]] = {name: [[] for _ in networks] for name in names}
    batches = -(-len(pictures) // _EVAL_BATCH)
    first, every = crew.turns(batches)
    for network in networks:
        network.eval()
    with torch.inference_mode(), autocast(device, settings.precision):
        for batch in pictures.plain(_EVAL_BATCH, first=first, every=every):
            for position, network in enumerate(networks):
                for name, values in network.outputs(batch, outputs).items():
                    found[name][position].append(values.float().cpu())
    stacked = {
        name: np.stack(
            [torch.cat(crew.gather(part, device, batches=batches)).numpy() for part in parts]
        )
        for name, parts in found.items()
    }
    if not all(np.isfinite(values).all() for values in stacked.values()):
        raise FercleanError(
            "the networks' outputs are not finite, training diverged; "
            "lower training.optimizer.learning_rate or check the data"
        )
    return Observation(stacked.pop("logits"), stacked, epoch, settings.warm_up_epochs)


def renewed(before: Observation, changed: Sequence[int], now: Observation) -> Observation:
    """Return an observation in which some networks have been asked again.

    Parameters
    ----------
    before : Observation
        What all networks said.
    changed : sequence of int
        Positions of those that have been trained since.
    now : Observation
        What these say now, in that order.

    Returns
    -------
    Observation
        At the later epoch; arrays of `before` are not written to.
    """
    places = list(changed)
    outputs = {name: values.copy() for name, values in before.outputs.items()}
    logits = before.logits.copy()
    logits[places] = now.logits
    for name, values in outputs.items():
        values[places] = now.outputs[name]
    return replace(now, logits=logits, outputs=outputs)
