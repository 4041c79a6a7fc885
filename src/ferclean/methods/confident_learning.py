"""Confident learning and training anew (Northcutt, Jiang, Chuang, JAIR 2021, arXiv 1911.00068).

During warm-up each of F networks trains on the rows outside its fold and then judges those inside.
Rows whose label the rule calls wrong are dropped, and one more network trains on the rest,
from scratch and with a learning-rate schedule of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ferclean.config.methods.confident_learning import ConfidentLearningSettings
from ferclean.errors import FercleanError
from ferclean.methods.base import Context, Recipe, Split, required, softmax
from ferclean.methods.cross_entropy import cross_entropy_objective
from ferclean.partition.confident_learning import find_label_errors
from ferclean.partition.scores import margin_score
from ferclean.relabel.decision import Relabelling
from ferclean.tables.partitions import Partition
from ferclean.train.folds import assign_folds
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Stream
from ferclean.train.seeds import derive_seed

# Between the clean probabilities of wrong labels (up to 1/4) and of right ones (from 1/2).
_THRESHOLD = 0.25


class ConfidentLearning(Recipe):
    """Networks 0 to F - 1 judge, network F is trained on what is left."""

    score_name = "margin of the observed label, out of fold"
    settings: ConfidentLearningSettings

    def __init__(self, settings: ConfidentLearningSettings) -> None:
        super().__init__(settings)
        self.networks = settings.folds + 1

    def warm_up(self, context: Context) -> list[Pass]:
        """Train each judge on the rows outside its fold; warm-up is its whole schedule."""
        fold, span = self._folds(context), (0, context.training.warm_up_epochs)
        return [
            self._train(context, net, np.flatnonzero(fold != net), kind="fold", span=span)
            for net in range(self.settings.folds)
        ]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Apply the rule to probabilities of the networks that never saw the row's label.

        The rule knows wrong and right only. Rows are ranked by their margin on either side of
        its cut, so that the clean probability says both.
        """
        fold = self._folds(context)
        probabilities = softmax(seen.logits[fold, context.rows])
        wrong = find_label_errors(probabilities, context.observed, rule=self.settings.rule)
        margin = margin_score(probabilities, context.observed)
        clean = (1.0 + margin) / 4.0 + np.where(wrong, 0.0, 0.5)
        return Partition(
            self.score_name,
            margin.astype(np.float32)[None],
            clean.clip(0.0, 1.0).astype(np.float32)[None],
            probabilities[None],
            threshold=_THRESHOLD,
            evidence={"fold": fold},
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Drop what is called wrong, and suggest the most likely class out of fold."""
        clean, probabilities = partition.clean_probability[0], partition.probabilities[0]
        wrong = clean <= partition.threshold
        right = np.eye(probabilities.shape[1], dtype=np.float32)[observed]
        return Relabelling(
            distribution=np.where(wrong[:, None], probabilities, right),
            clean_probability=clean,
            label=np.where(wrong, probabilities.argmax(axis=1), observed),
            weight=np.where(wrong, 0.0, 1.0).astype(np.float32),
            action=np.where(wrong, "drop", "keep"),
            reason=np.where(
                wrong,
                "confident learning calls the label wrong",
                "confident learning finds no fault with the label",
            ),
        )

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Train the last network on the rows that are left, or on all where none is."""
        _, relabelling = required(split)
        left = np.flatnonzero(relabelling.weight > 0)
        rows = left if len(left) else context.rows
        warm_up, total = context.training.warm_up_epochs, context.training.total_epochs
        span = (warm_up, total - warm_up)
        return [self._train(context, self.settings.folds, rows, kind="retrain", span=span)]

    def predict(self, seen: Observation, memory: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predict by the judges' mean softmax until the last network has begun to train."""
        if seen.epoch > seen.warm_up_epochs:
            return softmax(seen.logits[-1])
        judged = softmax(seen.logits[:-1])
        return judged.mean(axis=0, dtype=np.float64).astype(np.float32)

    def combine(
        self,
        logits: Tensor,
        outputs: Mapping[str, Tensor],
        memory: Mapping[str, np.ndarray],
        *,
        past_warm_up: bool,
    ) -> Tensor:
        """Take the last network's softmax, or in warm-up the judges' mean."""
        judges = logits[-1:] if past_warm_up else logits[:-1]
        return torch.softmax(judges, dim=-1).mean(dim=0)

    def _folds(self, context: Context) -> np.ndarray:
        """Deal the rows out, ``(N,)``, class by class."""
        folds, rows = self.settings.folds, len(context.observed)
        if folds > rows:
            raise FercleanError(
                f"{rows} training rows cannot be cut into {folds} folds; "
                "lower methods.confident_learning.folds"
            )
        seed = derive_seed(context.seed, "confident_learning")
        return assign_folds(context.observed, folds, seed)

    def _train(
        self, context: Context, network: int, rows: np.ndarray, *, kind: str, span: tuple[int, int]
    ) -> Pass:
        stream = Stream("all", rows, context.training.batch_size)
        objective = cross_entropy_objective(context, network=network)
        return Pass(kind, (network,), (stream,), objective, span)
