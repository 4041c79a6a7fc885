"""DivideMix (Li, Socher and Hoi, ICLR 2020, arXiv 2002.07394).

Two networks. Warm-up by cross-entropy, for asymmetric noise with a penalty on sure predictions;
then co-divide and MixMatch in every epoch. With ``strong_updates`` it is AugDesc's weak-strong
split (Nishi et al., CVPR 2021, arXiv 2103.02130).
"""

from __future__ import annotations

from ferclean.config.methods.co_divide import DivideMixSettings
from ferclean.losses.classification import cross_entropy, negative_entropy
from ferclean.methods.base import Context, Split, pass_over_all, required
from ferclean.methods.co_divide import CoDivide
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.train.passes import Objective, Pass, Step, Term


class DivideMix(CoDivide):
    """Algorithm 1."""

    settings: DivideMixSettings

    def warm_up(self, context: Context) -> list[Pass]:
        """``CE(f(x), y)``, with the penalty ``+ mean sum_k p_k log p_k`` where it is set."""
        if self.settings.warm_up == "cross_entropy":
            return [cross_entropy_pass(context, network=n) for n in range(self.networks)]
        return [
            pass_over_all(
                context, "confidence_penalty", _penalised(context, network=n), networks=(n,)
            )
            for n in range(self.networks)
        ]

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Co-divide and MixMatch."""
        partition, _ = required(split)
        return self.co_divide(context, partition)


def _penalised(context: Context, *, network: int) -> Objective:
    def objective(step: Step) -> list[Term]:
        batch = step.batches["all"]
        logits = step.networks[network](batch.views[0])
        return [
            Term("cross_entropy", cross_entropy(logits, context.targets[batch.rows])),
            Term("confidence", negative_entropy(logits)),
        ]

    return objective
