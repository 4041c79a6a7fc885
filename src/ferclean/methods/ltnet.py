"""LTNet of IPA2LT: inconsistent pseudo annotations to latent truth (Zeng et al., ECCV 2018).

One network gives the distribution p of a latent true label. Every annotator a has a matrix
``T_a`` of chances to call one class another, near the identity at first and learned jointly, so
that the labels given follow ``p T_a``: ``L = -sum_a log (p T_a)_{y_a}`` over those who labelled
a face. Warm-up is the paper's pre-training on the mixture of all labels, without matrices. With
the observed labels as the only annotator this is forward correction with a learned matrix. The
authors' code applies a second softmax to ``p T_a``; this takes its logarithm, as the paper does.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ferclean.config.methods.ltnet import LtnetSettings
from ferclean.errors import FercleanError
from ferclean.losses.transition import forward_cross_entropy, mixture_cross_entropy
from ferclean.methods.base import Context, Split, pass_over_all
from ferclean.methods.plain import PlainRecipe
from ferclean.models.transition import TransitionMatrices
from ferclean.train.passes import Objective, Pass, Step, Term

_TRANSITIONS = "transitions"


class Ltnet(PlainRecipe):
    """A latent label behind the observed ones and behind those of the table's annotators."""

    kind = "latent_truth"
    # Adam's steps do not shrink with the gradient: at the network's own rate a few of them
    # would carry the matrices far from the identity, where the latent class loses its meaning.
    learning_rate_factors: ClassVar[dict[str, float]] = {f"heads.{_TRANSITIONS}.": 0.1}
    settings: LtnetSettings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """Build one transition matrix an annotator of this run."""
        annotators, own = self.labels(context).shape[1], self.settings
        matrices = TransitionMatrices(
            annotators, context.classes, diagonal=own.diagonal, smallest=own.smallest
        )
        return {_TRANSITIONS: matrices}

    def labels(self, context: Context) -> np.ndarray:
        """Return the labels that are to be explained, ``(N, A)`` int64, -1 where there is none.

        Raises
        ------
        FercleanError
            If the annotators of the table are asked for and it has none.
        """
        observed, given = context.observed[:, None], context.side.get("annotations")
        chosen = self.settings.annotators
        if chosen == "table" and given is None:
            raise FercleanError(
                "methods.ltnet.annotators is table, but the label table has no annotators: name "
                "their columns in data.annotators, or set methods.ltnet.annotators to all"
            )
        if chosen == "observed" or given is None:
            return observed
        return given if chosen == "table" else np.concatenate([observed, given], axis=1)

    def warm_up(self, context: Context) -> list[Pass]:
        """``-sum_a log p_{y_a}``: train on the mixture of all labels."""
        labels = self._targets(context)

        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            logits = step.networks[0](batch.views[0])
            return [Term("mixture", mixture_cross_entropy(logits, labels[batch.rows]))]

        return [pass_over_all(context, "mixture", objective)]

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Train through the transition matrices."""
        return super().warm_up(context)

    def objective(self, context: Context) -> Objective:
        """``-sum_a log (p T_a)_{y_a}``."""
        labels = self._targets(context)

        def objective(step: Step) -> list[Term]:
            batch, network = step.batches["all"], step.networks[0]
            logits, matrices = network(batch.views[0]), network.heads[_TRANSITIONS]()
            return [Term("transition", forward_cross_entropy(logits, matrices, labels[batch.rows]))]

        return objective

    def _targets(self, context: Context) -> Tensor:
        return torch.from_numpy(self.labels(context)).to(context.device)
