"""MixMatch between a clean and a noisy side with co-refinement and co-guessing (DivideMix)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ferclean.losses.classification import cross_entropy, squared_error, uniform_prior_penalty
from ferclean.models.network import Network
from ferclean.relabel.sharpen import co_refine, sharpen
from ferclean.train.mixup import draw_coefficient, draw_partners, mix
from ferclean.train.passes import Batch, Step, Term


@dataclass(frozen=True)
class MixMatch:
    """Objective of DivideMix's semi-supervised step for one network.

    Targets come from two views of each row. Where a batch also holds strong views, it is those
    that are mixed and trained on (AugDesc's weak-strong split).

    Attributes
    ----------
    network, peer : int
        The network that is trained and the one that helps it guess.
    observed : Tensor
        ``(N,)`` int64 observed labels on the training device.
    clean_probability : Tensor
        ``(N,)`` float32 w, from the peer's mixture, on the training device.
    classes : int
        K.
    alpha, temperature : float
        Of mixup's Beta distribution and of sharpening.
    unlabelled_weight : float
        lambda_u.
    ramp_up_start, ramp_up_epochs : float
        lambda_u is multiplied by ``clip((e - start) / epochs, 0, 1)``.
    """

    network: int
    peer: int
    observed: Tensor
    clean_probability: Tensor
    classes: int
    alpha: float
    temperature: float
    unlabelled_weight: float
    ramp_up_start: float
    ramp_up_epochs: float

    def __call__(self, step: Step) -> Sequence[Term]:
        """Return L_x, lambda_u L_u and L_reg of one step."""
        labelled, unlabelled = step.batches["labelled"], step.batches.get("unlabelled")
        targets = self._targets(labelled, unlabelled, step.networks)
        # Until pull request 165068 of torch (2.10 may lack it), autocast went on using the weights
        # that it cast while gradients were off, and the trained network got none.
        torch.clear_autocast_cache()
        pictures = torch.cat([*_trained(labelled), *(_trained(unlabelled) if unlabelled else ())])
        coefficient = draw_coefficient(self.alpha, step.random)
        partners = draw_partners(len(pictures), step.generator)
        logits = step.networks[self.network](mix(pictures, partners, coefficient))
        mixed = mix(targets, partners, coefficient)
        split = 2 * len(labelled.rows)
        terms = [
            Term("labelled", cross_entropy(logits[:split], mixed[:split])),
            Term("prior", uniform_prior_penalty(logits)),
        ]
        if unlabelled is not None:
            error = squared_error(logits[split:], mixed[split:])
            terms.append(Term("unlabelled", error, self.ramped_weight(step.epoch)))
        return terms

    def ramped_weight(self, epoch: float) -> float:
        """Return lambda_u at a fractional epoch."""
        ramp = (epoch - self.ramp_up_start) / self.ramp_up_epochs
        return self.unlabelled_weight * min(max(ramp, 0.0), 1.0)

    @torch.no_grad()
    def _targets(
        self, labelled: Batch, unlabelled: Batch | None, networks: Sequence[Network]
    ) -> Tensor:
        """Refine and guess: ``(4B, K)`` targets in the order x1, x2, u1, u2.

        As in the authors' code the trained network predicts in train mode (batch statistics,
        running statistics updated) and the peer in eval mode. Its four views share one forward
        pass instead of four.
        """
        own_views = [*labelled.views, *(unlabelled.views if unlabelled else ())]
        own = _softmax_of_views(networks[self.network], own_views)
        given = functional.one_hot(self.observed[labelled.rows], self.classes).float()
        refined = co_refine(
            given,
            (own[0] + own[1]) / 2,
            self.clean_probability[labelled.rows],
            self.temperature,
        )
        targets = [refined, refined]
        if unlabelled is not None:
            peer = _softmax_of_views(networks[self.peer], unlabelled.views)
            guessed = sharpen((own[2] + own[3] + peer[0] + peer[1]) / 4, self.temperature)
            targets += [guessed, guessed]
        return torch.cat(targets)


def _trained(batch: Batch) -> Sequence[Tensor]:
    return batch.strong or batch.views


def _softmax_of_views(network: Network, views: Sequence[Tensor]) -> Sequence[Tensor]:
    probabilities = torch.softmax(network(torch.cat(list(views))).float(), dim=1)
    return probabilities.split([len(view) for view in views])
