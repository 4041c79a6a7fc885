"""ReSup: reliable label noise suppression (Zhang et al., arXiv 2305.17895; TAFFC 2025).

Two networks see the same batches. A label is as reliable as ``s = p_y / ||p||_2``, the cosine of
prediction and one-hot label. Every epoch a two-component Beta mixture is fitted to each network's
similarities of all rows; c_k is its clean posterior of the current batch's similarity. Decisions
are swapped: ``L = mean_i [c_1 CE(z_0, y) + c_0 CE(z_1, y) + 5 MSE(p_0, p_1)]``.

The source observes similarities on augmented pictures in eval mode. Here, as for every method,
the partition looks at plain ones: it is a workflow step of its own whose file is the same
whenever it is made, and the label table says what the networks think of the picture itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ferclean.config.methods.resup import ResupSettings
from ferclean.losses.classification import cross_entropy
from ferclean.losses.similarity import agreement_error, clamp_weight, label_similarity, look_up
from ferclean.methods.base import Context, Recipe, Split, pass_over_all, required, softmax
from ferclean.methods.co_divide import mixture_partition, refine_and_guess, scaled_losses
from ferclean.partition.beta_mixture import (
    fit_two_betas,
    posterior_tables,
)
from ferclean.partition.mixtures import MixtureFit, fit_per_class
from ferclean.partition.scores import similarity_score
from ferclean.relabel.decision import Relabelling
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Step, Term

# The source clips similarities so before it fits its mixtures.
_CLIP = 1e-3
_THRESHOLD = 0.5

# Given a network, its logits and the rows of a batch, the weights (B,) it decides on.
_Weigher = Callable[[int, Tensor, Tensor], Tensor]


class Resup(Recipe):
    """Similarity distribution modelling, swapped decisions, agreement of two networks."""

    networks = 2
    score_name = "similarity of prediction and observed label"
    settings: ResupSettings

    def warm_up(self, context: Context) -> list[Pass]:
        """``CE(z_0, y) + CE(z_1, y)`` on the same batches."""

        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            targets = context.targets[batch.rows]
            losses = [cross_entropy(net(batch.views[0]), targets) for net in step.networks]
            return [Term("cross_entropy", losses[0] + losses[1])]

        return [pass_over_all(context, "cross_entropy", objective, networks=(0, 1))]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Fit each network's mixture; its parameters are what training weighs rows by."""
        if self.settings.mixture == "gmm_loss":
            losses = scaled_losses(seen.logits, context.observed)
            return mixture_partition(
                seen,
                context,
                score_name="cross-entropy of the observed label, scaled to [0, 1]",
                score=losses,
                losses=losses,
                threshold=_THRESHOLD,
            )
        probabilities = softmax(seen.logits)
        similarity = np.stack([similarity_score(p, context.observed) for p in probabilities])
        fits = [self._fit(scores, context) for scores in similarity]
        return Partition(
            self.score_name,
            similarity.astype(np.float32),
            np.stack([fit.clean_probability for fit in fits]),
            probabilities,
            threshold=_THRESHOLD,
            parameters={f"net_{net}": fit.parameters for net, fit in enumerate(fits)},
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Say for the label table what the networks think of each label.

        ReSup itself changes no label: it trains on observed labels, weighed batch by batch.
        The table keeps labels whose mean posterior is above one half; for the others it shows
        the networks' mean prediction. The weight is the mean posterior on plain pictures.
        """
        clean = partition.clean_probability.mean(axis=0, dtype=np.float64)
        found = refine_and_guess(
            partition,
            observed,
            clean_probability=clean,
            label_weight=clean,
            temperature=1.0,
            reasons=(
                "prediction and label are similar",
                "both networks' mean prediction prefers another class",
                "prediction and label are little similar, but no other class is more likely",
            ),
        )
        return dataclasses.replace(found, weight=clean.astype(np.float32))

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """``c_1 CE(z_0, y) + c_0 CE(z_1, y) + 5 MSE(p_0, p_1)`` on all rows."""
        partition, _ = required(split)
        weigh, own = self._weigher(partition, context), self.settings

        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            targets = context.targets[batch.rows]
            logits = [network(batch.views[0]) for network in step.networks]
            weights = [clamp_weight(weigh(n, z, batch.rows)) for n, z in enumerate(logits)]
            first, second = reversed(weights) if own.swap else weights
            losses = [cross_entropy(z, targets) for z in logits]
            terms = [Term("weighted", first * losses[0] + second * losses[1])]
            if own.agreement_weight > 0:
                agreement = agreement_error(logits[0], logits[1])
                terms.append(Term("agreement", agreement, own.agreement_weight))
            return terms

        return [pass_over_all(context, "swapped_decisions", objective, networks=(0, 1))]

    def predict(self, seen: Observation, memory: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predict by the mean logits or, as in the published result, by the first network."""
        if self.settings.test_network == "first":
            return softmax(seen.logits[0])
        return super().predict(seen, memory)

    def combine(
        self,
        logits: Tensor,
        outputs: Mapping[str, Tensor],
        memory: Mapping[str, np.ndarray],
        *,
        past_warm_up: bool,
    ) -> Tensor:
        """Take the first network's logits, or the mean of both."""
        chosen = logits[:1] if self.settings.test_network == "first" else logits
        return super().combine(chosen, outputs, memory, past_warm_up=past_warm_up)

    def _fit(self, similarity: np.ndarray, context: Context) -> MixtureFit:
        if self.settings.mixture == "identity":
            return MixtureFit(similarity.astype(np.float32), {})
        if self.settings.mixture == "per_class":
            fit = partial(fit_two_betas, clip=_CLIP)
            return fit_per_class(fit, similarity, context.observed, classes=context.classes)
        return fit_two_betas(similarity, clip=_CLIP)

    def _weigher(self, partition: Partition, context: Context) -> _Weigher:
        """Return what weighs a batch: by its current similarities wherever there are any.

        With ``gmm_loss`` a row's posterior stands for the whole epoch, as in DivideMix: losses
        of augmented pictures in train mode lie on another scale than those that were fitted.
        """
        mixture, device = self.settings.mixture, context.device
        if mixture == "gmm_loss":
            clean = torch.tensor(partition.clean_probability, device=device)
            return lambda net, logits, rows: clean[net, rows]
        if mixture == "identity":
            return lambda net, logits, rows: label_similarity(logits, context.targets[rows])
        fitted = [partition.parameters[f"net_{net}"] for net in range(self.networks)]
        tables = [torch.from_numpy(posterior_tables(each)).to(device) for each in fitted]

        def weigh(net: int, logits: Tensor, rows: Tensor) -> Tensor:
            targets = context.targets[rows]
            group = targets if mixture == "per_class" else None
            return look_up(tables[net], label_similarity(logits, targets), group)

        return weigh
