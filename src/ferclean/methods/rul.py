"""RUL: relative uncertainty learning (Zhang, Wang, Deng, NeurIPS 2021).

One network with two branches, mu(x) and the uncertainty s(x). Within a batch every face is mixed
with another, ``s_i / (s_i + s_j) mu_i + s_j / (s_i + s_j) mu_j``, and the add-up loss asks for both
labels; s has no other supervision. A face by itself is recognised from mu. Branches read pooled
features where the authors' read flattened maps (:mod:`ferclean.models.relative_uncertainty`).
"""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
from torch import nn

from ferclean.config.methods.rul import RulSettings
from ferclean.losses.relative_uncertainty import add_up_loss, mix_by_uncertainty
from ferclean.methods.base import Context
from ferclean.methods.plain import PlainRecipe
from ferclean.models.relative_uncertainty import MeanClassifier, RelativeUncertainty
from ferclean.train.mixup import draw_partners
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Step, Term

_UNCERTAINTY = "uncertainty"


class Rul(PlainRecipe):
    """Mix features by their uncertainty and ask for both labels."""

    kind = "relative_uncertainty"
    outputs = (_UNCERTAINTY,)
    # The authors' last layer learns at 2e-3, all else at 2e-4.
    learning_rate_factors: ClassVar[dict[str, float]] = {"classifier.output.": 10.0}
    settings: RulSettings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """One branch gives the logits, the other the uncertainty."""
        width, dropout = self.settings.width, self.settings.dropout
        return {
            "classifier": MeanClassifier(feature_dim, width, context.classes, dropout=dropout),
            _UNCERTAINTY: RelativeUncertainty(feature_dim, width, dropout=dropout),
        }

    def objective(self, context: Context) -> Objective:
        """``CE(f(m_ij), y_i) / 2 + CE(f(m_ij), y_j) / 2`` with one permutation a batch."""

        def objective(step: Step) -> list[Term]:
            batch, network = step.batches["all"], step.networks[0]
            seen = network.dropout(network.features(batch.views[0]))
            classifier = cast(MeanClassifier, network.classifier)
            partners = draw_partners(len(batch.rows), step.generator)
            uncertainty = network.heads[_UNCERTAINTY](seen)
            mixed = mix_by_uncertainty(classifier.mean(seen), uncertainty, partners)
            loss = add_up_loss(classifier.output(mixed), context.targets[batch.rows], partners)
            return [Term("add_up", loss)]

        return objective

    def uncertainty(self, seen: Observation) -> dict[str, np.ndarray]:
        """Return s."""
        return {"relative": seen.outputs[_UNCERTAINTY][0]}
