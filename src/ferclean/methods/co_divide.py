"""Co-divide: each network's rows are split by the other's loss mixture (DivideMix).

Li, Socher and Hoi, ICLR 2020, Algorithm 1. Two networks; every epoch a Gaussian mixture over
each network's losses tells clean from noisy rows, and the *other* network trains with MixMatch on
refined labels of the clean side and guessed labels of the noisy one. What follows the division
is shared by every method that divides in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ferclean.config.methods.co_divide import CoDivideSettings
from ferclean.methods.base import Context, Recipe, softmax
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.partition.mixtures import fit_two_gaussians, scale_to_unit
from ferclean.partition.noise_rate import estimated_noise_rate, unlabelled_weight_for
from ferclean.partition.scores import cross_entropy_score
from ferclean.relabel.decision import Relabelling, decide
from ferclean.relabel.sharpen import co_refine, sharpen
from ferclean.tables.partitions import Partition
from ferclean.train.mixmatch import MixMatch
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Pass, Stream
from ferclean.train.seeds import derive_seed

_MEMORY = "scaled_losses"


class CoDivide(Recipe):
    """Division by a mixture over losses; its warm-up and its epochs are the subclass's."""

    networks = 2
    score_name = "cross-entropy of the observed label, scaled to [0, 1]"
    settings: CoDivideSettings

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Fit a two-component Gaussian mixture over each network's scaled losses."""
        scaled = scaled_losses(seen.logits, context.observed)
        window = np.concatenate([_remembered(memory, scaled), scaled[None]])
        averaged = window[-self.settings.loss_history :].mean(axis=0)
        return mixture_partition(
            seen,
            context,
            score_name=self.score_name,
            score=scaled,
            losses=averaged,
            threshold=self.settings.clean_threshold,
        )

    def remember(
        self, memory: Mapping[str, np.ndarray], partition: Partition
    ) -> dict[str, np.ndarray]:
        """Keep the scaled losses of the last epochs where the mixture averages over them."""
        kept = self.settings.loss_history - 1
        if kept == 0:
            return {}
        window = np.concatenate([_remembered(memory, partition.score), partition.score[None]])
        return {_MEMORY: window[-kept:]}

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Write down co-refinement and co-guessing for the label table.

        Training refines and guesses anew in every batch, from augmented views; the table
        shows the same formulas on the plain pictures with both networks' mean prediction and
        mean clean probability.
        """
        clean = partition.clean_probability.mean(axis=0, dtype=np.float64)
        return refine_and_guess(
            partition,
            observed,
            clean_probability=clean,
            label_weight=clean,
            temperature=self.settings.temperature,
            reasons=(
                "on the clean side of the loss mixture",
                "both networks' mean prediction prefers another class",
                "on the noisy side, but the networks agree with the label",
            ),
        )

    def co_divide(self, context: Context, partition: Partition) -> list[Pass]:
        """Train each network on the split of the other; both are fixed before either is trained.

        A network whose split leaves nothing labelled is given an epoch of plain cross-entropy
        instead.
        """
        return [self._train(net, context, partition) for net in range(self.networks)]

    def unlabelled_weight(self, partition: Partition, classes: int) -> float:
        """Return lambda_u: the setting, or DivideMix's for the noise rate of this partition."""
        if self.settings.unlabelled_weight != "auto":
            return self.settings.unlabelled_weight
        return unlabelled_weight_for(estimated_noise_rate(partition.clean_probability), classes)

    def _train(self, net: int, context: Context, partition: Partition) -> Pass:
        clean_probability = partition.clean_probability[1 - net]
        settings = self.settings
        objective = MixMatch(
            network=net,
            peer=1 - net,
            observed=context.targets,
            clean_probability=torch.from_numpy(clean_probability).to(context.device),
            classes=context.classes,
            alpha=settings.alpha,
            temperature=settings.temperature,
            unlabelled_weight=self.unlabelled_weight(partition, context.classes),
            ramp_up_start=context.training.warm_up_epochs,
            ramp_up_epochs=settings.ramp_up_epochs,
        )
        return semi_supervised_pass(
            context,
            objective,
            network=net,
            labelled=clean_probability > settings.clean_threshold,
            batch_sizes=(settings.labelled_batch_size, settings.labelled_batch_size),
            strong_views=2 if settings.strong_updates else 0,
        )


def semi_supervised_pass(
    context: Context,
    objective: Objective,
    *,
    network: int,
    labelled: np.ndarray,
    batch_sizes: tuple[int, int],
    strong_views: int,
) -> Pass:
    """Return one epoch over the labelled rows, with unlabelled ones beside them.

    Parameters
    ----------
    context : Context
    objective : callable
        Of batches ``"labelled"`` and, where there are such rows, ``"unlabelled"``, each with two
        weak views.
    network : int
        The network that is trained.
    labelled : numpy.ndarray
        ``(N,)`` bool; where none is, the epoch is one of plain cross-entropy on all rows.
    batch_sizes : tuple of int
        Labelled and unlabelled rows a step.
    strong_views : int
        Strong views of every row beside the weak ones.
    """
    if not labelled.any():
        return cross_entropy_pass(context, network=network, kind="nothing_labelled")
    streams = [Stream("labelled", np.flatnonzero(labelled), batch_sizes[0], 2, strong_views)]
    if not labelled.all():
        rows = np.flatnonzero(~labelled)
        streams.append(Stream("unlabelled", rows, batch_sizes[1], 2, strong_views))
    return Pass("mixmatch", (network,), tuple(streams), objective)


def refine_and_guess(
    partition: Partition,
    observed: np.ndarray,
    *,
    clean_probability: np.ndarray,
    label_weight: np.ndarray,
    temperature: float,
    reasons: tuple[str, str, str],
) -> Relabelling:
    """Refine rows above the partition's threshold by the mean prediction, guess the others.

    Parameters
    ----------
    partition : Partition
    observed : numpy.ndarray
        ``(N,)`` int64.
    clean_probability, label_weight : numpy.ndarray
        ``(N,)``: what is compared with the threshold, and w of co-refinement.
    temperature : float
        T of sharpening.
    reasons : tuple of str
        The texts for keep, relabel and soften.
    """
    mean = partition.probabilities.mean(axis=0, dtype=np.float64)
    labelled = clean_probability > partition.threshold
    given = np.eye(mean.shape[1])[observed]
    refined = co_refine(given, mean, label_weight, temperature)
    return decide(
        np.where(labelled[:, None], refined, sharpen(mean, temperature)),
        observed,
        clean_probability,
        threshold=partition.threshold,
        reasons=reasons,
    )


def mixture_partition(
    seen: Observation,
    context: Context,
    *,
    score_name: str,
    score: np.ndarray,
    losses: np.ndarray,
    threshold: float,
) -> Partition:
    """Take each network's posterior of the mixture's component with the smaller loss.

    Parameters
    ----------
    seen : Observation
    context : Context
    score_name : str
        What `score` measures.
    score : numpy.ndarray
        ``(M, N)`` float32, as noted in the partition.
    losses : numpy.ndarray
        ``(M, N)`` in [0, 1], to which the mixtures are fitted.
    threshold : float
        The method's cut-off.
    """
    fits = [
        fit_two_gaussians(loss, seed=derive_seed(context.seed, "mixture", net))
        for net, loss in enumerate(losses)
    ]
    return Partition(
        score_name,
        score,
        np.stack([fit.clean_probability for fit in fits]),
        softmax(seen.logits),
        threshold=threshold,
        parameters={f"net_{net}": fit.parameters for net, fit in enumerate(fits)},
    )


def scaled_losses(logits: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return each network's cross-entropy of the observed labels in [0, 1], ``(M, N)`` float32."""
    losses = [scale_to_unit(cross_entropy_score(each, observed)) for each in logits]
    return np.stack(losses).astype(np.float32)


def _remembered(memory: Mapping[str, np.ndarray], scores: np.ndarray) -> np.ndarray:
    """Return the losses of earlier epochs, ``(H, M, N)``; H is 0 at first."""
    return memory.get(_MEMORY, np.empty((0, *scores.shape), dtype=np.float32))
