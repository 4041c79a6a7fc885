"""Training and use of auto-encoders whose codes are drawn to word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.losses.embedding import cosine_distance, reconstruction_error
from ferclean.models.autoencoder import AutoEncoder
from ferclean.models.network import Network
from ferclean.train.device import autocast
from ferclean.train.passes import Pass, Step, Stream, Term
from ferclean.train.pictures import Pictures

_EVAL_BATCH = 512


def autoencoder_pass(
    number: int,
    rows: np.ndarray,
    wanted: torch.Tensor,
    settings: TrainingSettings,
    *,
    cosine_weight: float,
) -> Pass:
    """Return one epoch of SCE-ALD's equation 1 for one network.

    The loss is ``mean (x - x^)^2 + gamma (1 - cos(V(y), g(x)))`` with pixels in [0, 1].

    Parameters
    ----------
    number : int
        The network's position.
    rows : numpy.ndarray
        ``(n,)`` int64 rows to train on.
    wanted : torch.Tensor
        ``(N, D)`` word vector of each row's observed label, on the training device.
    settings : TrainingSettings
        Batch size and normalisation.
    cosine_weight : float
        gamma.
    """
    mean, scale = (
        torch.tensor(values, device=wanted.device).view(-1, 1, 1)
        for values in (settings.normalise_mean, settings.normalise_scale)
    )

    def objective(step: Step) -> list[Term]:
        batch = step.batches["all"]
        code, reconstruction = step.networks[number](batch.views[0])
        pixels = batch.views[0] * scale + mean
        return [
            Term("reconstruction", reconstruction_error(reconstruction, pixels)),
            Term("cosine", cosine_distance(code, wanted[batch.rows]), cosine_weight),
        ]

    return Pass("autoencoder", (number,), (Stream("all", rows, settings.batch_size),), objective)


def encode(
    networks: Sequence[Network],
    pictures: Pictures,
    fold: np.ndarray,
    settings: TrainingSettings,
) -> np.ndarray:
    """Return the code of every picture by the network of its fold, in eval mode.

    Parameters
    ----------
    networks : sequence of Network
        F auto-encoders (the trainer's state calls every module a network).
    pictures : Pictures
        N pictures.
    fold : numpy.ndarray
        ``(N,)`` int64 in ``[0, F)``.
    settings : TrainingSettings
        Precision.

    Returns
    -------
    numpy.ndarray
        ``(N, D)`` float32.

    Raises
    ------
    FercleanError
        If a code is NaN or infinite.
    """
    encoders = [cast(AutoEncoder, network).encoder for network in networks]
    device = next(encoders[0].parameters()).device
    codes: list[np.ndarray] = []
    start = 0
    for network in networks:
        network.eval()
    with torch.inference_mode(), autocast(device, settings.precision):
        for batch in pictures.plain(_EVAL_BATCH):
            here = fold[start : start + len(batch)]
            start += len(batch)
            order = np.argsort(here, kind="stable")
            found = [
                encoders[number](batch[torch.from_numpy(np.flatnonzero(here == number)).to(device)])
                for number in np.unique(here)
            ]
            part = torch.cat(found).float().cpu().numpy()
            codes.append(part[np.argsort(order)])
    stacked = np.concatenate(codes)
    if not np.isfinite(stacked).all():
        raise FercleanError(
            "the auto-encoder's codes are not finite, training diverged; "
            "lower embedding.optimizer.learning_rate"
        )
    return stacked
