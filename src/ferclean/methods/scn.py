"""SCN: self-cure network (Wang et al., CVPR 2020, arXiv 2002.10392).

One network and a head for the importance ``alpha = sigmoid(w h)`` of each face. The loss is
cross-entropy of the logits ``alpha z`` (equation 2) and the rank regularisation
``max(0, delta_1 - (mean of the high group's alpha - mean of the others'))`` (equations 4 and 5).
From some epoch on labels are changed for good where another class is more likely by a margin
(equation 6): in the group of low importance as the paper says, or anywhere as its code does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from ferclean.config.methods.scn import ScnSettings
from ferclean.losses.classification import cross_entropy
from ferclean.losses.importance import cured_labels, low_importance, rank_regularisation
from ferclean.methods.base import Context, softmax
from ferclean.methods.plain import PlainRecipe
from ferclean.partition.scores import margin_score
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Step, Term

_LABELS, _IMPORTANCE, _CURRENT = "labels", "importance", "current_label"
# So that an unchanged label stands above the cut-off however unlikely it is.
_LEAST_SHARE = 1e-6


class Scn(PlainRecipe):
    """Weigh by importance, rank, relabel; the current labels are the method's memory."""

    kind = "self_cure"
    score_name = "margin of the observed label; changed labels count as wrong"
    outputs = (_IMPORTANCE,)
    settings: ScnSettings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """Build the fully connected layer with a sigmoid that gives alpha, ``(B, 1)``."""
        return {_IMPORTANCE: nn.Sequential(nn.Linear(feature_dim, 1), nn.Sigmoid())}

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Start with the observed labels."""
        return {_LABELS: context.observed.copy()}

    def objective(self, context: Context) -> Objective:
        """``CE(alpha z, y) + RR``, or ``(1 - gamma) CE + gamma RR``; then relabel the batch."""
        own = self.settings
        rank_weight = own.rank_weight if own.combine == "weighted" else 1.0
        class_weight = 1.0 - own.rank_weight if own.combine == "weighted" else 1.0

        def objective(step: Step) -> list[Term]:
            batch, current = step.batches["all"], step.memory[_LABELS]
            found = step.networks[0].outputs(batch.views[0], self.outputs)
            importance = found[_IMPORTANCE].float()[:, 0]
            logits = importance[:, None] * found["logits"].float()
            low = low_importance(importance, own.high_share)
            labels = current[batch.rows]
            if int(step.epoch) + 1 >= own.relabel_epoch:
                allowed = low if own.relabel_rule == "paper" else torch.ones_like(low)
                current[batch.rows] = cured_labels(logits, labels, allowed, own.relabel_margin)
            rank = rank_regularisation(importance, low, own.rank_margin)
            return [
                Term("cross_entropy", cross_entropy(logits, labels), class_weight),
                Term("rank", rank, rank_weight),
            ]

        return objective

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Call the changed labels wrong: they fill the lower half, the others the upper one.

        Within each half the margin of the observed label ranks the rows.
        """
        probabilities, current = self.predict(seen, memory), memory[_LABELS]
        margin = margin_score(probabilities, context.observed)
        share = ((1.0 + margin) / 2.0).clip(_LEAST_SHARE, 1.0)
        clean = np.where(current == context.observed, 0.5 + 0.5 * share, 0.5 * share)
        return Partition(
            self.score_name,
            margin.astype(np.float32)[None],
            clean.astype(np.float32)[None],
            probabilities[None],
            evidence={_CURRENT: current},
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the current labels, all of them hard."""
        classes = partition.probabilities.shape[2]
        return decide(
            np.eye(classes, dtype=np.float32)[partition.evidence[_CURRENT]],
            observed,
            partition.clean_probability[0],
            threshold=partition.threshold,
            # Nothing is softened: a label was changed, or it was not.
            reasons=("its label was not changed in training", "its label was changed in training"),
        )

    def predict(self, seen: Observation, memory: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predict by the weighed logits, as in training."""
        return softmax((seen.outputs[_IMPORTANCE] * seen.logits).mean(axis=0))

    def combine(
        self,
        logits: Tensor,
        outputs: Mapping[str, Tensor],
        memory: Mapping[str, np.ndarray],
        *,
        past_warm_up: bool,
    ) -> Tensor:
        """Weigh the logits, as `predict` does."""
        return torch.softmax((outputs[_IMPORTANCE] * logits).mean(dim=0), dim=-1)

    def uncertainty(self, seen: Observation) -> dict[str, np.ndarray]:
        """Return ``1 - alpha``."""
        return {"unimportance": (1.0 - seen.outputs[_IMPORTANCE][0, :, 0]).astype(np.float32)}
