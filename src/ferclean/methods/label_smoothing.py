"""Label smoothing as a control (Szegedy et al., CVPR 2016)."""

from __future__ import annotations

import torch

from ferclean.config.methods.controls import LabelSmoothingSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context
from ferclean.methods.plain import PlainRecipe
from ferclean.train.passes import Objective, Step, Term


class LabelSmoothing(PlainRecipe):
    """Cross-entropy with targets ``(1 - e) onehot(y) + e / K``."""

    kind = "label_smoothing"
    settings: LabelSmoothingSettings

    def objective(self, context: Context) -> Objective:
        """``CE(f(x), (1 - e) onehot(y) + e / K)``."""
        share = self.settings.smoothing
        one_hot = torch.eye(context.classes, device=context.device)
        smooth = (1.0 - share) * one_hot + share / context.classes

        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            targets = smooth[context.targets[batch.rows]]
            return [Term("cross_entropy", cross_entropy(step.networks[0](batch.views[0]), targets))]

        return objective
