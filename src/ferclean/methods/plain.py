"""Methods that train on all rows alike and split nothing: they differ in their loss only."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from ferclean.methods.base import Context, Recipe, Split, pass_over_all
from ferclean.partition.scores import margin_score
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Pass


class PlainRecipe(Recipe):
    """One objective on all rows in every epoch, warm-up included.

    For evaluation the in-sample margin of the method's prediction ranks the labels, and its
    cut-off is ``argmax != observed``; neither feeds back into training.
    """

    score_name = "margin of the observed label"
    kind: ClassVar[str]
    views: ClassVar[int] = 1
    strong_views: ClassVar[int] = 0

    @abstractmethod
    def objective(self, context: Context) -> Objective:
        """Return what turns a step's batch ``"all"`` into loss terms."""

    def warm_up(self, context: Context) -> list[Pass]:
        """Train like in every other epoch."""
        return [
            pass_over_all(
                context,
                self.kind,
                self.objective(context),
                networks=tuple(range(self.networks)),
                views=self.views,
                strong_views=self.strong_views,
            )
        ]

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Train on all rows."""
        return self.warm_up(context)

    def needs_partition(self, number: int, context: Context) -> bool:
        """Never: the partition is only looked at by evaluation."""
        return False

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Rank labels by the margin of the prediction."""
        return margin_partition(self.predict(seen, memory), context.observed)

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the prediction as the label distribution."""
        return decide_by_prediction(partition, observed)


def margin_partition(
    distribution: np.ndarray,
    observed: np.ndarray,
    *,
    probabilities: np.ndarray | None = None,
    score_name: str = PlainRecipe.score_name,
    evidence: Mapping[str, np.ndarray] | None = None,
) -> Partition:
    """Rank labels by their margin in one label distribution; the cut-off is its argmax.

    Parameters
    ----------
    distribution : numpy.ndarray
        ``(N, K)``.
    observed : numpy.ndarray
        ``(N,)`` int64.
    probabilities : numpy.ndarray, optional
        ``(M, N, K)`` what the networks predict; by default the distribution is a prediction.
    score_name : str
        Which margin it is.
    evidence : mapping, optional
        What else the partition holds.
    """
    margin = margin_score(distribution, observed)
    return Partition(
        score_name,
        margin.astype(np.float32)[None],
        half_margin(margin).astype(np.float32)[None],
        distribution[None] if probabilities is None else probabilities,
        evidence=dict(evidence or {}),
    )


def half_margin(margin: np.ndarray) -> np.ndarray:
    """Map margins from [-1, 1] to [0, 1]: below one half another class is more likely."""
    return ((1.0 + margin) / 2.0).clip(0.0, 1.0)


def decide_by_prediction(partition: Partition, observed: np.ndarray) -> Relabelling:
    """Take the first network's prediction as the label distribution."""
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
