"""SMR: semi-supervised mixup with recalibration (Zhang et al., Mathematics 2024, 12(15), 2389).

Two networks. Warm-up by mixup on the noisy labels; then, every epoch, DivideMix's co-divide and
MixMatch; every so many epochs one epoch of plain cross-entropy on all rows recalibrates.
"""

from __future__ import annotations

from ferclean.config.methods.smr import SmrSettings
from ferclean.methods.base import Context, Split, pass_over_all
from ferclean.methods.co_divide import CoDivide
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.train.mixup import mixup_objective
from ferclean.train.passes import Pass


class Smr(CoDivide):
    """Stages A to D of SMR; B, the partition, is DivideMix's."""

    settings: SmrSettings

    def warm_up(self, context: Context) -> list[Pass]:
        """Stage A: ``l CE(f(x~), y) + (1 - l) CE(f(x~), y[perm])``, each network on its own."""
        return [
            pass_over_all(
                context,
                "mixup",
                mixup_objective(context.targets, n, self.settings.alpha),
                networks=(n,),
            )
            for n in range(self.networks)
        ]

    def needs_partition(self, number: int, context: Context) -> bool:
        """Recalibration epochs look at no partition."""
        return not self._recalibrates(number, context)

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Stage C, or stage D where it is due."""
        if split is None:
            return [
                cross_entropy_pass(context, network=n, kind="recalibration")
                for n in range(self.networks)
            ]
        return self.co_divide(context, split[0])

    def _recalibrates(self, number: int, context: Context) -> bool:
        """Every `recalibration_period` epochs, but not first after warm-up and not last of all.

        The authors' loop runs one epoch longer than its setting says, so that their last epoch
        too is a semi-supervised one.
        """
        period, training = self.settings.recalibration_period, context.training
        due = period > 0 and (number + 1) % period == 0
        return due and training.warm_up_epochs < number < training.total_epochs - 1
