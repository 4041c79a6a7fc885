"""EAC: erasing attention consistency (Zhang et al., ECCV 2022, arXiv 2207.10299).

One network sees each face and its mirror image, each with a random rectangle erased. The face
is classified; attention to it and attention to the mirror image (class activation maps of all
classes) must agree once mirrored back: ``L = CE(f(x), y) + lambda MSE(M(x), flip M(flip x))``.
A wrong label can only be memorised by part of a face, and such attention is not consistent.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ferclean.config.methods.eac import EacSettings
from ferclean.config.training import AugmentSettings
from ferclean.losses.attention import attention_consistency, class_activation_maps
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context
from ferclean.methods.plain import PlainRecipe
from ferclean.train.augment import augment
from ferclean.train.passes import Objective, Step, Term


class Eac(PlainRecipe):
    """Classify the face, hold its attention maps at those of its mirror image."""

    kind = "attention_consistency"
    settings: EacSettings

    def objective(self, context: Context) -> Objective:
        """``CE(f(x), y) + lambda MSE(M(x), flip M(flip x))``; x alone is classified."""

        def objective(step: Step) -> list[Term]:
            batch, network = step.batches["all"], step.networks[0]
            classifier = cast(nn.Linear, network.classifier)
            own, other = self.erased_pair(batch.views[0], step.generator)
            # One after the other, as in the authors' code: batch statistics of each alone.
            maps = [network.maps(pictures) for pictures in (own, other)]
            attention = [class_activation_maps(found, classifier.weight) for found in maps]
            logits = classifier(network.dropout(maps[0].mean(dim=(2, 3))))
            return [
                Term("cross_entropy", cross_entropy(logits, context.targets[batch.rows])),
                Term(
                    "consistency",
                    attention_consistency(*attention),
                    self.settings.consistency_weight,
                ),
            ]

        return objective

    def erased_pair(self, pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return erased pictures and erased mirror images.

        Parameters
        ----------
        pictures : Tensor
            ``(B, C, H, W)`` normalised; what is erased becomes 0, the mean.
        generator : torch.Generator
            On the pictures' device.
        """
        own = self._erased(pictures, generator)
        if self.settings.independent_erase:
            return own, self._erased(pictures.flip(-1), generator)
        return own, own.flip(-1)

    def _erased(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        erase = AugmentSettings(
            flip=False,
            shift=0,
            erase=self.settings.erase,
            erase_area=self.settings.erase_area,
        )
        return augment(pictures, settings=erase, generator=generator, fill=0.0)
