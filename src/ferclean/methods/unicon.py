"""UNICON: uniform selection and contrastive learning (Karim et al., CVPR 2022, 2203.14542).

Two networks. Every epoch the Jensen-Shannon divergence between both networks' mean prediction and
the observed label selects equally many rows of each class (Algorithm 1 of the paper); both
networks then train as in DivideMix, on targets from weak views and pictures of strong views, and
a contrastive loss draws the two strong views of an unlabelled picture together.

Other than in the authors' code the selection is made once an epoch, from both networks in eval
mode, before either is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ferclean.config.methods.unicon import UniconSettings
from ferclean.losses.contrastive import contrastive_loss
from ferclean.methods.base import Context, Recipe, Split, required, softmax
from ferclean.methods.co_divide import refine_and_guess, semi_supervised_pass
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.partition.jsd import LARGEST, divergence_from_label
from ferclean.partition.selection import select_uniformly, trusted_weights
from ferclean.relabel.decision import Relabelling
from ferclean.tables.partitions import Partition
from ferclean.train.mixmatch import MixMatch
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Step, Term

_SELECTED, _WEIGHT, _SELECTION, _PROJECTION = "selected", "label_weight", "selection", "projection"


class Unicon(Recipe):
    """Selection by divergence, MixMatch on strong views, contrastive loss."""

    networks = 2
    score_name = "Jensen-Shannon divergence of the mean prediction from the observed label"
    settings: UniconSettings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """One linear projection with batch normalisation, for the contrastive loss."""
        width = self.settings.projection_width
        return {_PROJECTION: nn.Sequential(nn.Linear(feature_dim, width), nn.BatchNorm1d(width))}

    def warm_up(self, context: Context) -> list[Pass]:
        """``CE(f(x), y)``, each network on its own."""
        return [cross_entropy_pass(context, network=n) for n in range(self.networks)]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Algorithm 1.

        The selection is class-wise, so that no cut-off of the divergence tells it: the clean
        probability is ``(1 - d / d_max) / 2``, and one half more for selected rows.
        """
        own, probabilities = self.settings, softmax(seen.logits)
        divergence = divergence_from_label(
            probabilities.mean(axis=0, dtype=np.float64), context.observed, unit=own.divergence_unit
        )
        selection = select_uniformly(
            divergence,
            context.observed,
            classes=context.classes,
            limit=own.divergence_limit,
            slack=own.divergence_slack,
        )
        fit = np.clip(1.0 - divergence / LARGEST[own.divergence_unit], 0.0, 1.0)
        above = np.nextafter(np.float32(0.5), np.float32(1.0))
        clean = np.where(selection.selected, np.maximum((1.0 + fit) / 2, above), fit / 2)
        return Partition(
            self.score_name,
            _for_each_network(divergence),
            _for_each_network(clean),
            probabilities,
            evidence={
                _SELECTED: selection.selected,
                _WEIGHT: trusted_weights(divergence, own.trusted_divergence),
            },
            parameters={
                _SELECTION: {"threshold": selection.threshold, "share": selection.share},
            },
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Write down refinement of selected rows and guesses of the others, as training does."""
        return refine_and_guess(
            partition,
            observed,
            clean_probability=partition.clean_probability[0],
            label_weight=partition.evidence[_WEIGHT],
            temperature=self.settings.temperature,
            reasons=(
                "among the rows of its class that diverge least",
                "both networks' mean prediction prefers another class",
                "not selected, but the networks agree with the label",
            ),
        )

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Train both networks on the one selection; without any, by plain cross-entropy."""
        partition, _ = required(split)
        return [self._train(net, context, partition) for net in range(self.networks)]

    def _train(self, net: int, context: Context, partition: Partition) -> Pass:
        own = self.settings
        selected = partition.evidence[_SELECTED].astype(bool)
        mixmatch = MixMatch(
            network=net,
            peer=1 - net,
            observed=context.targets,
            clean_probability=torch.tensor(partition.evidence[_WEIGHT], device=context.device),
            classes=context.classes,
            alpha=own.alpha,
            temperature=own.temperature,
            unlabelled_weight=own.unlabelled_weight,
            ramp_up_start=context.training.warm_up_epochs,
            ramp_up_epochs=own.ramp_up_epochs,
        )
        return semi_supervised_pass(
            context,
            WithContrast(mixmatch, own.contrastive_weight, own.contrastive_temperature),
            network=net,
            labelled=selected,
            batch_sizes=(own.labelled_batch_size, self._unlabelled_rows(partition, selected)),
            strong_views=2,
        )

    def _unlabelled_rows(self, partition: Partition, selected: np.ndarray) -> int:
        """Return ``int(B / (2 SR))`` rows a step.

        No more than there are: a picture that stood twice in a batch would be told from itself
        by the contrastive loss.
        """
        share = max(partition.parameters[_SELECTION]["share"], 1 / len(selected))
        wanted = int(self.settings.labelled_batch_size / (2 * share))
        return max(1, min(wanted, int((~selected).sum())))


@dataclass(frozen=True)
class WithContrast:
    """MixMatch, and ``lambda_c L_c`` between the two strong views of unlabelled rows."""

    mixmatch: MixMatch
    weight: float
    temperature: float

    def __call__(self, step: Step) -> list[Term]:
        """Return MixMatch's terms and the contrastive one."""
        terms = list(self.mixmatch(step))
        unlabelled = step.batches.get("unlabelled")
        if unlabelled is None or self.weight == 0:
            return terms
        network = step.networks[self.mixmatch.network]
        features = network.features(torch.cat(unlabelled.strong))
        first, second = network.heads[_PROJECTION](features).chunk(2)
        loss = contrastive_loss(first, second, self.temperature)
        return [*terms, Term("contrastive", loss, self.weight)]


def _for_each_network(values: np.ndarray) -> np.ndarray:
    """Repeat what both networks say together, ``(2, N)`` float32."""
    return np.stack([values, values]).astype(np.float32)
