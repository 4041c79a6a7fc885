"""What the networks say of every picture: one pass in eval mode without augmentation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.network import Network
from ferclean.train.device import autocast
from ferclean.train.pictures import ResidentPictures

# Fixed, so that a file step and an epoch inside a round get the same bits.
_EVAL_BATCH = 512


def observe(
    networks: Sequence[Network], pictures: ResidentPictures, settings: TrainingSettings
) -> np.ndarray:
    """Return every network's logits for every picture.

    Parameters
    ----------
    networks : sequence of Network
        M networks; put in eval mode and left there.
    pictures : ResidentPictures
        N pictures.
    settings : TrainingSettings
        Precision.

    Returns
    -------
    numpy.ndarray
        ``(M, N, K)`` float32.

    Raises
    ------
    FercleanError
        If an output is NaN or infinite.
    """
    device = next(networks[0].parameters()).device
    found: list[list[torch.Tensor]] = [[] for _ in networks]
    for network in networks:
        network.eval()
    with torch.inference_mode(), autocast(device, settings.precision):
        for batch in pictures.plain(_EVAL_BATCH):
            for network, logits in zip(networks, found, strict=True):
                logits.append(network(batch).float())
    none = torch.empty(0, networks[0].classifier.out_features)
    stacked = np.stack([torch.cat(logits or [none]).cpu().numpy() for logits in found])
    if not np.isfinite(stacked).all():
        raise FercleanError(
            "the networks' outputs are not finite, training diverged; "
            "lower training.optimizer.learning_rate or check the data"
        )
    return stacked
