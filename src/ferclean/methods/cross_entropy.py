"""Plain cross-entropy: the control that runs beside every method, and its oracle-clean twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context, Recipe, Split, softmax
from ferclean.partition.scores import margin_score
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.passes import Pass, Step, Stream, Term


class CrossEntropy(Recipe):
    """Cross-entropy on the observed labels: one network, as many epochs as every other method.

    Its in-sample margin ranks the labels, and its cut-off is ``argmax != observed``; neither
    feeds back into training.
    """

    score_name = "margin of the observed label"

    def warm_up(self, context: Context) -> list[Pass]:
        """Train like in every other epoch."""
        return [cross_entropy_pass(context, network=0)]

    def partition(
        self, logits: np.ndarray, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Map the margin from [-1, 1] to [0, 1]: below one half another class is more likely."""
        probabilities = softmax(logits)
        margin = margin_score(probabilities[0], context.observed)
        clean = ((1.0 + margin) / 2.0).astype(np.float32)
        return Partition(
            self.score_name, margin.astype(np.float32)[None], clean[None], probabilities
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the prediction as the label distribution."""
        return decide(
            partition.probabilities[0],
            observed,
            partition.clean_probability[0],
            threshold=0.5,
            reasons=(
                "the network agrees with the label",
                "the network prefers another class",
                "two classes are equally likely",
            ),
        )

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Train on all rows with their observed labels."""
        return [cross_entropy_pass(context, network=0)]

    def needs_partition(self, number: int, context: Context) -> bool:
        """Never: the control's partition is only looked at by evaluation."""
        return False


class OracleClean(CrossEntropy):
    """Cross-entropy on the rows whose observed label is right: the ceiling.

    The selection is made by the noise step, which writes a label table of those rows; this
    recipe sees no truth.
    """


def cross_entropy_pass(context: Context, *, network: int, kind: str = "cross_entropy") -> Pass:
    """Return one epoch of plain cross-entropy on all rows for one network."""
    stream = Stream("all", context.rows, context.training.batch_size)
    return Pass(kind, (network,), (stream,), _objective(context, network))


def _objective(context: Context, network: int) -> Callable[[Step], list[Term]]:
    def objective(step: Step) -> list[Term]:
        batch = step.batches["all"]
        targets = context.targets[batch.rows]
        return [
            Term("cross_entropy", cross_entropy(step.networks[network](batch.views[0]), targets))
        ]

    return objective
