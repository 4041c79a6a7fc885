"""SSR: an efficient and robust framework for unknown label noise (Feng et al., BMVC 2022).

One network, arXiv 2111.11288. Before every epoch the classifier relabels the rows that it is
sure of, starting from the observed labels each time; then a row is selected where its (new)
label wins a vote of its nearest neighbours in feature space. Training draws the selected rows
equally often from each class and uses mixup of strongly augmented views. SSR+ adds feature
consistency between a weak and a strong view of every row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ferclean.config.methods.ssr import SsrSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context, Recipe, Split, required, softmax
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.models.network import Network
from ferclean.models.siamese import two_layers
from ferclean.partition.balance import balanced_rows
from ferclean.partition.neighbours import class_votes, nearest_neighbours, neighbour_weights
from ferclean.partition.scores import rival_share
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.mixup import draw_coefficient, draw_partners, mix
from ferclean.train.observe import Observation
from ferclean.train.passes import Batch, Pass, Step, Stream, Term
from ferclean.train.seeds import numpy_stream

_VOTE, _LABEL, _SELECTED = "vote", "relabelled", "selected"
# Widths of projector and predictor in the authors' code.
_HIDDEN, _PROJECTED = 256, 128


class Ssr(Recipe):
    """Sample selection and relabelling by classifier and neighbours."""

    score_name = "neighbours' votes for the observed label against its strongest rival"
    outputs = ("features",)
    settings: SsrSettings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """SSR+ projects features and predicts one view's projection from the other's."""
        if self.settings.consistency_weight == 0:
            return {}
        return {
            "projector": two_layers(feature_dim, _HIDDEN, _PROJECTED),
            "predictor": two_layers(_PROJECTED, _HIDDEN, _PROJECTED),
        }

    def warm_up(self, context: Context) -> list[Pass]:
        """Train as if every row were selected with its observed label."""
        return [self._pass(context, context.observed, context.rows)]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Relabel above theta_r, vote, and select where votes reach theta_s of the winner's.

        A row relabelled to another class is at most as clean as the classifier leaves room for.
        """
        own, probabilities = self.settings, softmax(seen.logits)
        confidence = probabilities[0].max(axis=1)
        label = np.where(
            confidence > own.relabel_threshold, probabilities[0].argmax(axis=1), context.observed
        )
        vote = self._vote(seen.outputs["features"][0], label, context)
        of_label = vote[np.arange(len(vote)), label]
        selected = of_label >= own.select_threshold * vote.max(axis=1)
        share = rival_share(vote, context.observed)
        doubted = np.minimum(share, 1.0 - confidence)
        clean = np.where(label == context.observed, share, doubted)
        return Partition(
            self.score_name,
            share.astype(np.float32)[None],
            clean.astype(np.float32)[None],
            probabilities,
            evidence={_VOTE: vote, _LABEL: label.astype(np.int64), _SELECTED: selected},
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Give selected rows their one label; the others show the vote and have no weight."""
        vote, selected = partition.evidence[_VOTE], partition.evidence[_SELECTED].astype(bool)
        one_hot = np.eye(vote.shape[1], dtype=np.float32)[partition.evidence[_LABEL]]
        decided = decide(
            np.where(selected[:, None], one_hot, vote),
            observed,
            partition.clean_probability[0],
            threshold=partition.threshold,
            reasons=(
                "the neighbours vote for the label",
                "classifier or neighbours prefer another class",
                "the neighbours do not settle the label",
            ),
        )
        return dataclasses.replace(decided, weight=selected.astype(np.float32))

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Train on the selected rows; where there are none, plain cross-entropy on all."""
        partition, _ = required(split)
        evidence = partition.evidence
        selected = np.flatnonzero(evidence[_SELECTED])
        if len(selected) == 0:
            return [cross_entropy_pass(context, network=0, kind="nothing_selected")]
        label, random = evidence[_LABEL], numpy_stream(context.seed, "balance", number)
        # As many steps as all rows fill: the selected ones are repeated, each class alike.
        rows = balanced_rows(selected, label[selected], len(label), random)
        return [self._pass(context, label, rows)]

    def _vote(self, features: np.ndarray, label: np.ndarray, context: Context) -> np.ndarray:
        own = self.settings
        near = nearest_neighbours(features, own.neighbours, metric="cosine", device=context.device)
        weights = neighbour_weights(near.distance, "cosine")
        if own.vote_weights == "uniform":
            weights = np.ones_like(weights)
        return class_votes(
            near.index, weights, label, classes=context.classes, balanced=own.balanced_vote
        )

    def _pass(self, context: Context, label: np.ndarray, rows: np.ndarray) -> Pass:
        size, weight = context.training.batch_size, self.settings.consistency_weight
        streams = [Stream("selected", rows, size, views=0, strong_views=2)]
        if weight > 0:
            streams.append(Stream("all", context.rows, size, views=1, strong_views=1))
        classes = torch.tensor(label, device=context.device)
        targets = functional.one_hot(classes, context.classes).float()

        def objective(step: Step) -> list[Term]:
            network = step.networks[0]
            terms = [Term("mixup", self._mixup(network, step, targets))]
            if weight > 0:
                terms.append(
                    Term("consistency", _consistency(network, step.batches["all"]), weight)
                )
            return terms

        return Pass("sample_selection", (0,), tuple(streams), objective)

    def _mixup(self, network: Network, step: Step, targets: Tensor) -> Tensor:
        """Cross-entropy of mixed strong views, both views of a batch in one permutation."""
        batch = step.batches["selected"]
        pictures, labels = torch.cat(batch.strong), targets[batch.rows].repeat(2, 1)
        coefficient = draw_coefficient(self.settings.alpha, step.random)
        partners = draw_partners(len(pictures), step.generator)
        logits = network(mix(pictures, partners, coefficient))
        return cross_entropy(logits, mix(labels, partners, coefficient))


def _consistency(network: Network, batch: Batch) -> Tensor:
    """Return ``-cos(h(f(strong)), stop(f(weak)))``, SimSiam's loss in one direction."""
    projector, predictor = network.heads["projector"], network.heads["predictor"]
    target = projector(network.features(batch.views[0])).detach()
    predicted = predictor(projector(network.features(batch.strong[0])))
    return -functional.cosine_similarity(predicted.float(), target.float(), dim=1)
