"""DMUE: dive into ambiguity (She et al., CVPR 2021, arXiv 2104.00232).

One network with K auxiliary branches and a target branch. Branch c learns from the rows whose
label is not c and tells what the rows with label c look like otherwise: the latent distribution,
sharpened, that the target branch's remaining probabilities follow (L_soft, weight omega).
Inner products between rows must agree between branches (L_sp, weight gamma). A score from the
likeness of each row to each class scales the target branch's logits (L_CE):
``L = up(e) (L_CE + omega L_soft + gamma L_sp) + down(e) L_aux``. Only the target branch predicts.

Unlike the authors' code, this trains the layers of the score (their optimiser is not given
them), uses every batch, also those in which a class has fewer than two rows, and gives all
layers one learning rate. A branch is one layer on the pooled features
(:mod:`ferclean.models.latent_branches`) where theirs copies the backbone's last stage.
"""

from __future__ import annotations

from typing import cast

from torch import nn

from ferclean.config.methods.dmue import DmueSettings
from ferclean.losses.classification import cross_entropy
from ferclean.losses.latent_distribution import (
    branch_cross_entropy,
    latent_distribution,
    latent_error,
    ramp_down,
    ramp_up,
    similarity_error,
)
from ferclean.methods.base import Context
from ferclean.methods.plain import PlainRecipe
from ferclean.models.latent_branches import AuxiliaryBranches, PairwiseUncertainty, TargetBranch
from ferclean.train.passes import Objective, Step, Term


class Dmue(PlainRecipe):
    """Target branch, auxiliary branches, and the ramp from the latter to the former."""

    kind = "latent_distribution"
    settings: DmueSettings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """Build the K + 1 branches and the pairwise uncertainty."""
        width = self.settings.branch_width
        return {
            "classifier": TargetBranch(feature_dim, width, context.classes),
            "auxiliary": AuxiliaryBranches(feature_dim, width, context.classes),
            "pairwise": PairwiseUncertainty(context.classes),
        }

    def objective(self, context: Context) -> Objective:
        """``up (CE + omega L_soft + gamma L_sp) + down L_aux`` on the observed labels."""
        own = self.settings

        def objective(step: Step) -> list[Term]:
            batch, network = step.batches["all"], step.networks[0]
            labels = context.targets[batch.rows]
            features = network.dropout(network.features(batch.views[0]))
            target = cast(TargetBranch, network.classifier)
            embedded = target.embed(features)
            logits = target.output(embedded).float()
            branches, branch_logits = network.heads["auxiliary"](features)
            if own.similarity_of == "logits":
                branches = branch_logits.masked_fill(branch_logits.isinf(), 0.0)
            latent = latent_distribution(branch_logits, labels, own.temperature)
            score = network.heads["pairwise"](embedded, labels)
            up, down = (ramp(int(step.epoch), own.ramp_epochs) for ramp in (ramp_up, ramp_down))
            similarity = similarity_error(branches, embedded, labels)
            return [
                Term("cross_entropy", cross_entropy(score * logits, labels), up),
                Term("soft", latent_error(logits, labels, latent), up * own.soft_weight),
                Term("similarity", similarity, up * own.similarity_weight),
                Term("auxiliary", branch_cross_entropy(branch_logits, labels), down),
            ]

        return objective
