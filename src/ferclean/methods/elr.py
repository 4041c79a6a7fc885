"""ELR: early-learning regularisation (Liu et al., NeurIPS 2020, arXiv 2007.00151).

One network. Beside cross-entropy, each row's prediction p is held at a running mean t of its own
earlier predictions, which were made before wrong labels were memorised:
``L = CE + lambda mean log(1 - <t, p>)`` with ``t <- beta t + (1 - beta) p / sum p``, p clipped to
[1e-4, 1 - 1e-4].
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from ferclean.config.methods.elr import ElrSettings
from ferclean.losses.classification import cross_entropy
from ferclean.losses.early_learning import (
    clipped_prediction,
    early_learning_penalty,
    moved_target,
)
from ferclean.methods.base import Context, softmax
from ferclean.methods.plain import PlainRecipe, margin_partition
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import RUNNING_TARGET, Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Step, Term


class Elr(PlainRecipe):
    """Cross-entropy and the regulariser from the first epoch on; nothing is split."""

    kind = "early_learning"
    score_name = "margin of the observed label in the running target"
    settings: ElrSettings

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Start all running targets at 0, as the authors' code does."""
        return {
            RUNNING_TARGET: np.zeros((len(context.observed), context.classes), dtype=np.float32)
        }

    def objective(self, context: Context) -> Objective:
        """``CE(f(x), y) + lambda log(1 - <t, p>)``; t is moved before it is looked at."""
        own = self.settings

        def objective(step: Step) -> list[Term]:
            logits, prediction, moved = predict_and_move(step, 0, RUNNING_TARGET, own.momentum)
            labels = context.targets[step.batches["all"].rows]
            return [
                Term("cross_entropy", cross_entropy(logits, labels)),
                Term("regulariser", early_learning_penalty(prediction, moved), own.regularisation),
            ]

        return objective

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Rank labels by their margin in the running targets; below 0 another class leads.

        A row that no batch held so far has no running target: its prediction stands in.
        """
        probabilities = softmax(seen.logits)
        target = settled_target(memory[RUNNING_TARGET].astype(np.float64), probabilities[0])
        return margin_partition(
            target,
            context.observed,
            probabilities=probabilities,
            score_name=self.score_name,
            evidence={RUNNING_TARGET: target.astype(np.float32)},
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the running target as the label distribution."""
        return decide(
            partition.evidence[RUNNING_TARGET],
            observed,
            partition.clean_probability[0],
            threshold=partition.threshold,
            reasons=(
                "the running target agrees with the label",
                "the running target prefers another class",
                "two classes are equally likely",
            ),
        )


def predict_and_move(
    step: Step, network: int, memory: str, momentum: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Predict a step's rows, and move their running targets by what was said.

    Parameters
    ----------
    step : Step
        Its batch is called ``"all"``; its memory is changed in place.
    network : int
        The network that predicts.
    memory : str
        Name of the running targets, ``(N, K)``.
    momentum : float
        beta in [0, 1].

    Returns
    -------
    tuple of Tensor
        ``(B, K)`` each: logits, the clipped prediction, and the targets after the move.
    """
    batch, targets = step.batches["all"], step.memory[memory]
    logits = step.networks[network](batch.views[0])
    prediction = clipped_prediction(logits)
    moved = moved_target(targets[batch.rows], prediction, momentum)
    targets[batch.rows] = moved
    return logits, prediction, moved


def settled_target(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return running targets as distributions.

    Parameters
    ----------
    target : numpy.ndarray
        ``(N, K)`` at least 0: one running target a row, or a sum of several.
    prediction : numpy.ndarray
        ``(N, K)``, for the rows whose target is still 0.
    """
    total = target.sum(axis=1, keepdims=True)
    known = total > 0
    return np.where(known, target / np.where(known, total, 1.0), prediction)
