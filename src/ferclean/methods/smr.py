"""SMR: semi-supervised mixup with recalibration (Zhang et al., Mathematics 2024, 12(15), 2389).

Two networks. Warm-up by mixup on the noisy labels; then, every epoch, a Gaussian mixture over
each network's losses splits the rows for the *other* network, which trains with MixMatch on
refined labels of the clean side and guessed labels of the noisy side (DivideMix, Li et al.,
ICLR 2020); every so many epochs one epoch of plain cross-entropy on all rows recalibrates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ferclean.config.methods.smr import SmrSettings
from ferclean.methods.base import Context, Recipe, Split, softmax
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.partition.mixtures import fit_two_gaussians, scale_to_unit
from ferclean.partition.scores import cross_entropy_score
from ferclean.relabel.decision import Relabelling, decide
from ferclean.relabel.sharpen import co_refine, sharpen
from ferclean.tables.partitions import Partition
from ferclean.train.mixmatch import MixMatch
from ferclean.train.mixup import mixup_objective
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Stream
from ferclean.train.seeds import derive_seed

_MEMORY = "scaled_losses"


class Smr(Recipe):
    """Stages A to D of SMR."""

    networks = 2
    score_name = "cross-entropy of the observed label, scaled to [0, 1]"
    settings: SmrSettings

    def warm_up(self, context: Context) -> list[Pass]:
        """Stage A: ``l CE(f(x~), y) + (1 - l) CE(f(x~), y[perm])``, each network on its own."""
        stream = Stream("all", context.rows, context.training.batch_size)
        return [
            Pass("mixup", (n,), (stream,), mixup_objective(context.targets, n, self.settings.alpha))
            for n in range(self.networks)
        ]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Stage B: a two-component Gaussian mixture over each network's scaled losses."""
        losses = [scale_to_unit(cross_entropy_score(z, context.observed)) for z in seen.logits]
        scaled = np.stack(losses).astype(np.float32)
        window = np.concatenate([_remembered(memory, scaled), scaled[None]])
        averaged = window[-self.settings.loss_history :].mean(axis=0)
        fits = [
            fit_two_gaussians(loss, seed=derive_seed(context.seed, "mixture", net))
            for net, loss in enumerate(averaged)
        ]
        return Partition(
            self.score_name,
            scaled,
            np.stack([fit.clean_probability for fit in fits]),
            softmax(seen.logits),
            threshold=self.settings.clean_threshold,
            parameters={f"net_{net}": fit.parameters for net, fit in enumerate(fits)},
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
        mean = partition.probabilities.mean(axis=0, dtype=np.float64)
        clean = partition.clean_probability.mean(axis=0, dtype=np.float64)
        labelled = clean > self.settings.clean_threshold
        given = np.eye(mean.shape[1])[observed]
        refined = co_refine(given, mean, clean, self.settings.temperature)
        guessed = sharpen(mean, self.settings.temperature)
        return decide(
            np.where(labelled[:, None], refined, guessed),
            observed,
            clean,
            threshold=self.settings.clean_threshold,
            reasons=(
                "on the clean side of the loss mixture",
                "both networks' mean prediction prefers another class",
                "on the noisy side, but the networks agree with the label",
            ),
        )

    def needs_partition(self, number: int, context: Context) -> bool:
        """Recalibration epochs look at no partition."""
        return not self._recalibrates(number, context)

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Stage C, or stage D where it is due.

        Each network trains on the split of the other; both splits are fixed before either
        network is trained. A network whose split leaves nothing labelled is given an epoch of
        plain cross-entropy instead.
        """
        if split is None:
            return [
                cross_entropy_pass(context, network=n, kind="recalibration")
                for n in range(self.networks)
            ]
        return [self._co_divide(n, context, split[0]) for n in range(self.networks)]

    def _co_divide(self, net: int, context: Context, partition: Partition) -> Pass:
        clean_probability = partition.clean_probability[1 - net]
        clean = clean_probability > self.settings.clean_threshold
        if not clean.any():
            return cross_entropy_pass(context, network=net, kind="nothing_labelled")
        size = self.settings.labelled_batch_size
        streams = [Stream("labelled", np.flatnonzero(clean), size, views=2)]
        if not clean.all():
            streams.append(Stream("unlabelled", np.flatnonzero(~clean), size, views=2))
        objective = MixMatch(
            network=net,
            peer=1 - net,
            observed=context.targets,
            clean_probability=torch.from_numpy(clean_probability).to(context.device),
            classes=context.classes,
            alpha=self.settings.alpha,
            temperature=self.settings.temperature,
            unlabelled_weight=self.settings.unlabelled_weight,
            ramp_up_start=context.training.warm_up_epochs,
            ramp_up_epochs=self.settings.ramp_up_epochs,
        )
        return Pass("mixmatch", (net,), tuple(streams), objective)

    def _recalibrates(self, number: int, context: Context) -> bool:
        """Every `recalibration_period` epochs, but not first after warm-up and not last of all.

        The authors' loop runs one epoch longer than its setting says, so that their last epoch
        too is a semi-supervised one.
        """
        period, training = self.settings.recalibration_period, context.training
        due = period > 0 and (number + 1) % period == 0
        return due and training.warm_up_epochs < number < training.total_epochs - 1


def _remembered(memory: Mapping[str, np.ndarray], scores: np.ndarray) -> np.ndarray:
    """Return the losses of earlier epochs, ``(H, M, N)``; H is 0 at first."""
    return memory.get(_MEMORY, np.empty((0, *scores.shape), dtype=np.float32))
