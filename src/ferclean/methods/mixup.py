"""Mixup as a control: convex combinations of pictures and labels (Zhang et al., ICLR 2018)."""

from __future__ import annotations

from ferclean.config.methods.controls import MixupSettings
from ferclean.methods.base import Context
from ferclean.methods.plain import PlainRecipe
from ferclean.train.mixup import mixup_objective
from ferclean.train.passes import Objective


class Mixup(PlainRecipe):
    """``l CE(f(x~), y_a) + (1 - l) CE(f(x~), y_b)`` with ``x~ = l x_a + (1 - l) x_b``.

    The shared objective folds l to [0.5, 1]. That changes nothing here: l with a permutation and
    1 - l with its inverse mix the same pairs, and both permutations are equally likely.
    """

    kind = "mixup"
    settings: MixupSettings

    def objective(self, context: Context) -> Objective:
        """One ``l ~ Beta(alpha, alpha)`` a batch."""
        return mixup_objective(context.targets, 0, self.settings.alpha)
