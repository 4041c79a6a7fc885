"""Co-teaching (Han et al., NeurIPS 2018, arXiv 1804.06872).

Two networks see the same batches. Each ranks a batch by its own loss and hands the share
``1 - R(t)`` of smallest loss to the other, which takes its step on those rows;
``R(t) = r min(t / 10, 1)`` after t epochs (Algorithm 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from ferclean.config.methods.co_teaching import CoTeachingSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context, Split, pass_over_all, softmax
from ferclean.methods.co_divide import mixture_partition, scaled_losses
from ferclean.methods.plain import PlainRecipe
from ferclean.partition.noise_rate import estimated_noise_rate
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Pass, Step, Term


class CoTeaching(PlainRecipe):
    """Exchange of small-loss rows; with ``noise_rate: auto`` r comes from every partition."""

    networks = 2
    kind = "co_teaching"
    score_name = "cross-entropy of the observed label, scaled to [0, 1]"
    settings: CoTeachingSettings

    def objective(self, context: Context) -> Objective:
        """Forget at the rate of the settings; none where it is yet to be estimated."""
        known = self.settings.noise_rate
        return self._exchange(context, 0.0 if known == "auto" else known)

    def needs_partition(self, number: int, context: Context) -> bool:
        """Only to estimate the noise rate."""
        return self.settings.noise_rate == "auto"

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Exchange rows at the known rate, or at the one that the partition estimates."""
        if split is None:
            return self.warm_up(context)
        objective = self._exchange(context, split[0].threshold)
        return [pass_over_all(context, self.kind, objective, networks=(0, 1))]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Rank the rows by each network's loss; the share r of largest loss is called wrong.

        r is the setting, or what two-component Gaussian mixtures over the losses say.
        """
        losses = scaled_losses(seen.logits, context.observed)
        rate, parameters = self.settings.noise_rate, {}
        if rate == "auto":
            fitted = mixture_partition(
                seen,
                context,
                score_name=self.score_name,
                score=losses,
                losses=losses,
                threshold=0.5,
            )
            rate = estimated_noise_rate(fitted.clean_probability)
            parameters = fitted.parameters
        clean = 1.0 - (rankdata(losses, axis=1) - 0.5) / losses.shape[1]
        return Partition(
            self.score_name,
            losses,
            clean.astype(np.float32),
            softmax(seen.logits),
            threshold=rate,
            parameters=parameters,
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take both networks' mean prediction; the method itself only forgets rows."""
        return decide(
            partition.probabilities.mean(axis=0, dtype=np.float64),
            observed,
            partition.clean_probability.mean(axis=0, dtype=np.float64),
            threshold=partition.threshold,
            reasons=(
                "its loss is among the small ones",
                "both networks' mean prediction prefers another class",
                "its loss is among the large ones, but the networks agree with the label",
            ),
        )

    def _exchange(self, context: Context, rate: float) -> Objective:
        return Exchange(context.targets, rate, self.settings.gradual_epochs)


@dataclass(frozen=True)
class Exchange:
    """Objective of Co-teaching for both networks at once.

    Attributes
    ----------
    observed : Tensor
        ``(N,)`` int64 observed labels on the training device.
    rate : float
        r.
    gradual_epochs : int
        Epochs until R(t) is r.
    """

    observed: Tensor
    rate: float
    gradual_epochs: int

    def __call__(self, step: Step) -> list[Term]:
        """Return each network's mean loss over the rows that the other one kept."""
        batch = step.batches["all"]
        targets = self.observed[batch.rows]
        losses = [cross_entropy(network(batch.views[0]), targets) for network in step.networks]
        count = kept_rows(len(targets), self.forgotten_share(int(step.epoch)))
        kept = [torch.argsort(loss.detach(), stable=True)[:count] for loss in losses]
        return [Term(f"network_{net}", loss[kept[1 - net]]) for net, loss in enumerate(losses)]

    def forgotten_share(self, epochs: int) -> float:
        """Return ``R(t) = r min(t / T, 1)`` after t epochs."""
        return self.rate * min(epochs / self.gradual_epochs, 1.0)


def kept_rows(batch: int, forgotten: float) -> int:
    """Return ``int((1 - R) B)``, at least one row."""
    return max(1, int(round((1.0 - forgotten) * batch, 9)))  # (1 - 0.8) * 10 is below 2
