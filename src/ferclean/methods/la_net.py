"""LA-Net's label distribution estimation (Wu and Cui, ICCV 2023).

One network. Within each batch a row has K neighbours in expression space and K in landmark
space; their predictions, weighted by a learned head in either space, are averaged into an
estimate of the row's label distribution. A running mean of these estimates, which starts at the
observed label, is the target of a divergence beside cross-entropy. Of the whole LA-Net, the
heat-map head (MTCNN's landmarks stand in for it), the contrastive loss between the two spaces
and the balanced sampler are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from ferclean.config.methods.la_net import LaNetSettings
from ferclean.losses.classification import cross_entropy
from ferclean.losses.divergences import divergence_from_target, divergence_to_target
from ferclean.methods.base import Context, Recipe, Split, pass_over_all, softmax
from ferclean.methods.landmarks import landmarks_of
from ferclean.methods.plain import margin_partition
from ferclean.models.pair_weights import PairWeights
from ferclean.partition.neighbours import batch_neighbours
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Step, Term

_BANK = "label_distribution"
_LANDMARK_VALUES = 10
# So that neighbours whose learned weights all vanish count alike.
_LEAST_WEIGHT = 1e-8


class LaNet(Recipe):
    """Cross-entropy and a divergence from label distributions of neighbours in the batch."""

    score_name = "margin of the observed label in the running label distribution"
    settings: LaNetSettings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """One head of pair weights a space."""
        built: dict[str, nn.Module] = {"expression_pairs": PairWeights(feature_dim)}
        if self.settings.second_space == "landmarks":
            built["landmark_pairs"] = PairWeights(_LANDMARK_VALUES)
        return built

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Start the running label distributions at the observed labels."""
        self._landmarks(context)  # faces without landmarks: say so before anything is trained
        return {_BANK: np.eye(context.classes, dtype=np.float32)[context.observed]}

    def warm_up(self, context: Context) -> list[Pass]:
        """Train like in every other epoch: the authors' code has no warm-up."""
        return self.epoch(0, context, None)

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Rank labels by their margin in the running label distributions."""
        bank = memory[_BANK] / memory[_BANK].sum(axis=1, keepdims=True)
        return margin_partition(
            bank,
            context.observed,
            probabilities=softmax(seen.logits),
            score_name=self.score_name,
            evidence={_BANK: bank},
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the running label distribution."""
        return decide(
            partition.evidence[_BANK],
            observed,
            partition.clean_probability[0],
            threshold=partition.threshold,
            reasons=(
                "its neighbours' label distribution agrees",
                "its neighbours' label distribution prefers another class",
                "its neighbours' label distribution is undecided",
            ),
        )

    def needs_partition(self, number: int, context: Context) -> bool:
        """Never: the running label distributions change within the epoch."""
        return False

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """``CE(p, y) + KL(p || m t_old + (1 - m) t)`` on all rows, t from the batch."""
        landmarks = self._landmarks(context)
        own = self.settings
        divergence = {
            "of_prediction": divergence_to_target,
            "of_target": divergence_from_target,
        }[own.divergence]

        def objective(step: Step) -> list[Term]:
            batch, network = step.batches["all"], step.networks[0]
            found = network.outputs(batch.views[0], ("features",))
            spaces = [(found["features"], network.heads["expression_pairs"])]
            if landmarks is not None:
                spaces.append((landmarks[batch.rows], network.heads["landmark_pairs"]))
            logits, bank = found["logits"], step.memory[_BANK]
            estimates = [
                estimate_distribution(logits, vectors, pairs, own.neighbours)
                for vectors, pairs in spaces
            ]
            mean = torch.stack(estimates).mean(dim=0)
            target = own.momentum * bank[batch.rows] + (1.0 - own.momentum) * mean
            bank[batch.rows] = target.detach()
            observed = cross_entropy(logits, context.targets[batch.rows])
            pull = divergence(logits, target)
            return [
                Term("cross_entropy", observed),
                Term("distribution", pull, own.divergence_weight),
            ]

        return [pass_over_all(context, "label_distribution", objective)]

    def _landmarks(self, context: Context) -> Tensor | None:
        if self.settings.second_space == "none":
            return None
        landmarks = landmarks_of(context, way_out="methods.la_net.second_space to none")
        return torch.from_numpy(landmarks).to(context.device)


def estimate_distribution(
    logits: Tensor, vectors: Tensor, pairs: nn.Module, neighbours: int
) -> Tensor:
    """Return the neighbours' weighted mean prediction for every row of a batch.

    Parameters
    ----------
    logits : Tensor
        ``(B, K)``.
    vectors : Tensor
        ``(B, D)`` places of the rows in one space.
    pairs : torch.nn.Module
        From vectors to ``(B, B)`` positive weights.
    neighbours : int
        Neighbours a row; fewer in a smaller batch. A row alone is its own neighbour.

    Returns
    -------
    Tensor
        ``(B, K)`` float32; the gradient flows into predictions, vectors and weights, as in the
        authors' code.
    """
    probabilities = torch.softmax(logits.float(), dim=1)
    if len(logits) == 1:
        return probabilities
    weights = (pairs(vectors) + _LEAST_WEIGHT) * batch_neighbours(vectors, neighbours)
    shares = weights / weights.sum(dim=1, keepdim=True)
    with torch.autocast(logits.device.type, enabled=False):
        return shares @ probabilities
