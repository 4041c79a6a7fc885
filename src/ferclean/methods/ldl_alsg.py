"""LDL-ALSG: label distribution learning on auxiliary label space graphs (Chen et al., CVPR 2020).

One network. Faces that are close in the label space of an auxiliary task (here: the places of
five landmarks) are assumed to have similar expression distributions: beside cross-entropy, each
row's prediction is pulled towards its neighbours' predictions. The divergences from k
neighbours, weighted by similarity, differ from that from their weighted mean by a constant:
``sum_j w_j KL(p_j || p_i) = KL(sum_j w_j p_j || p_i) + const``, so the mean is what is kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from ferclean.config.methods.ldl_alsg import LdlAlsgSettings
from ferclean.losses.classification import cross_entropy
from ferclean.losses.divergences import divergence_from_target
from ferclean.methods.base import Context, Recipe, Split, pass_over_all, required, softmax
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.methods.landmarks import landmarks_of
from ferclean.methods.plain import decide_by_prediction, margin_partition
from ferclean.partition.neighbours import (
    nearest_neighbours,
    neighbour_means,
    neighbour_weights,
)
from ferclean.relabel.decision import Relabelling
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Step, Term

_INDEX, _WEIGHT = "neighbour_index", "neighbour_weight"
_DISTRIBUTION = "neighbour_distribution"


class LdlAlsg(Recipe):
    """Cross-entropy and a pull towards the neighbours' label distribution."""

    score_name = "margin of the observed label"
    outputs = ("features",)
    settings: LdlAlsgSettings

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Build the graph once where it does not change: landmarks stay where they are."""
        if self.settings.space == "features":
            return {}
        landmarks = landmarks_of(context, way_out="methods.ldl_alsg.space to features")
        return self._graph(landmarks, "euclidean", context)

    def warm_up(self, context: Context) -> list[Pass]:
        """Plain cross-entropy: neighbours have nothing to say yet."""
        return [cross_entropy_pass(context, network=0)]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Rank labels by the prediction's margin; note what the neighbours predict."""
        graph = memory
        if self.settings.space == "features":
            graph = self._graph(seen.outputs["features"][0], "cosine", context)
        found = margin_partition(softmax(seen.logits[0]), context.observed)
        means = neighbour_means(graph[_INDEX], graph[_WEIGHT], found.probabilities[0])
        return dataclasses.replace(found, evidence={_DISTRIBUTION: means})

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the prediction, which training drew towards the neighbours'."""
        return decide_by_prediction(partition, observed)

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """``CE(f(x), y) + lambda KL(mean of the neighbours || f(x))`` on all rows."""
        partition, _ = required(split)
        neighbours = torch.tensor(partition.evidence[_DISTRIBUTION], device=context.device)
        weight = self.settings.neighbour_weight

        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            logits = step.networks[0](batch.views[0])
            observed = cross_entropy(logits, context.targets[batch.rows])
            pull = divergence_from_target(logits, neighbours[batch.rows])
            return [Term("cross_entropy", observed), Term("neighbours", pull, weight)]

        return [pass_over_all(context, "neighbours", objective)]

    def _graph(self, vectors: np.ndarray, metric: str, context: Context) -> dict[str, np.ndarray]:
        near = nearest_neighbours(
            vectors, self.settings.neighbours, metric=metric, device=context.device
        )
        return {_INDEX: near.index, _WEIGHT: neighbour_weights(near.distance, metric)}
