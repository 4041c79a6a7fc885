"""SCE-ALD: label distribution amendment with emotional semantic correlations.

Mao et al., arXiv 2107.11061. One network. An auto-encoder, trained by a step of its own, tells
how a picture relates to the class words (equations 1 and 2); the task network's features tell
how it relates to the class prototypes (equation 3). Where both agree, in the sense of optimal
transport between the classes, the row is trusted (equation 4), prototypes are means weighted
with that trust (equation 5), and distances to them amend the label distribution (equation 6),
which the network learns beside the observed label (equation 7). No code was published; where
the paper is silent or inconsistent the docstrings of the parts say what was decided.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.special import entr

from ferclean.config.methods.sce_ald import SceAldSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context, Recipe, Split, pass_over_all, required, softmax
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.methods.plain import half_margin
from ferclean.partition.class_relations import (
    confidence,
    cosine_graph,
    prototype_distributions,
    weighted_prototypes,
)
from ferclean.partition.scores import margin_score
from ferclean.partition.transport import ground_cost, largest_distance, relation_distance
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Pass, Step, Term

_MEMORY = "confidence"
_AMENDED = "amended"


class SceAld(Recipe):
    """The task network of SCE-ALD.

    The paper has no rule that calls a label wrong. Here it is the nearest prototype: a label is
    called wrong where the amended distribution prefers another class. The mix that the loss
    sees, ``beta y + (1 - beta) l``, cannot serve for that: from beta 0.5 on its largest entry
    is the observed label whatever the picture shows; beta is how much of the label's loss is
    kept, not a belief in it.
    """

    score_name = "transport distance of the class-relation graphs"
    outputs = ("features",)
    settings: SceAldSettings

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Trust all rows alike (the paper's alpha = 1)."""
        return {_MEMORY: np.ones(len(context.observed), dtype=np.float32)}

    def warm_up(self, context: Context) -> list[Pass]:
        """Cross-entropy on the observed labels."""
        return [cross_entropy_pass(context, network=0)]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Equations 3 to 6, once an epoch.

        The prototypes of the task graph use the confidence of the epoch before, for the new
        confidence needs that graph; the prototypes that amend the labels use the new one.
        """
        features, observed, classes = seen.outputs["features"][0], context.observed, context.classes
        prototypes, _ = weighted_prototypes(features, observed, memory[_MEMORY], classes)
        semantic, task = context.side["semantic_similarity"], cosine_graph(features, prototypes)
        distance = self._distance(semantic, task, context)
        alpha = confidence(distance, largest_distance(self.settings.transport, classes))
        amended = prototype_distributions(
            features,
            observed,
            alpha,
            classes,
            distance=self.settings.distance,
            exponent=self.settings.exponent,
            leave_one_out=self.settings.leave_one_out,
        )
        return Partition(
            self.score_name,
            distance[None].astype(np.float32),
            half_margin(margin_score(amended, observed)).astype(np.float32)[None],
            softmax(seen.logits),
            evidence={
                _MEMORY: alpha,
                _AMENDED: amended,
                "semantic_similarity": semantic,
                "task_similarity": task,
            },
            parameters={"net_0": {"mean_label_entropy": float(entr(amended).sum(axis=1).mean())}},
        )

    def remember(
        self, memory: Mapping[str, np.ndarray], partition: Partition
    ) -> dict[str, np.ndarray]:
        """Keep the confidence for the next epoch's task graph."""
        return {_MEMORY: partition.evidence[_MEMORY].copy()}

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the amended distribution as it is; see the class for why not the loss's mix."""
        return decide(
            partition.evidence[_AMENDED],
            observed,
            partition.clean_probability[0],
            threshold=partition.threshold,
            reasons=(
                "the prototype of the observed class is the nearest one",
                "another class's prototype is nearer",
                "two prototypes are equally near",
            ),
        )

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Equation 7 on all rows."""
        partition, relabelling = required(split)
        alpha = partition.evidence[_MEMORY]
        weight = alpha / alpha.mean() if self.settings.confidence_in_loss else np.ones_like(alpha)
        objective = self._objective(context, relabelling.distribution, weight)
        return [pass_over_all(context, "amended", objective)]

    def _objective(
        self, context: Context, distribution: np.ndarray, weight: np.ndarray
    ) -> Objective:
        """``beta CE(f(x), y) + (1 - beta) CE(f(x), l)``; no gradient goes through l."""
        beta = self.settings.beta
        amended = torch.from_numpy(distribution).to(context.device)
        weights = torch.from_numpy(weight.astype(np.float32)).to(context.device)

        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            logits, trust = step.networks[0](batch.views[0]), weights[batch.rows]
            on_observed = trust * cross_entropy(logits, context.targets[batch.rows])
            on_amended = trust * cross_entropy(logits, amended[batch.rows])
            return [Term("observed", on_observed, beta), Term("amended", on_amended, 1.0 - beta)]

        return objective

    def _distance(self, semantic: np.ndarray, task: np.ndarray, context: Context) -> np.ndarray:
        return relation_distance(
            semantic,
            task,
            reading=self.settings.transport,
            cost=ground_cost(context.side["word_vectors"]),
            temperature=self.settings.temperature,
        )
