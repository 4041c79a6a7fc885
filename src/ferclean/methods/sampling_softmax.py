"""Sampling softmax with aleatoric and epistemic doubt (Valdenegro-Toro and Saromo-Mori, 2022).

CVPR workshops 2022, arXiv 2204.09308, with the loss of Kendall and Gal, NIPS 2017, equation 12.
Each network of an ensemble gives a mean mu and a standard deviation sigma of every logit and is
trained by ``-log (1/T) sum_t softmax(mu + sigma e_t)_y``: a large sigma flattens the gradient of
labels that contradict mu. The ensemble's doubt is split into aleatoric and epistemic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ferclean.config.methods.sampling_softmax import SamplingSoftmaxSettings
from ferclean.losses.heteroscedastic import heteroscedastic_nll, sampled_log_softmax
from ferclean.methods.base import Context, Recipe, Split, pass_over_all
from ferclean.models.scale_head import ScaleHead
from ferclean.partition.disagreement import SCORES, disagreement_score
from ferclean.partition.mixtures import fit_two_gaussians, scale_to_unit
from ferclean.partition.uncertainty import (
    Uncertainty,
    ensemble_probabilities,
    split_uncertainty,
    standard_draws,
)
from ferclean.relabel.decision import Relabelling
from ferclean.relabel.doubt import decide_by_doubt
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Pass, Step, Term
from ferclean.train.seeds import derive_seed

_SCALE = "scale"
# One set of draws for all runs: a prediction depends on the network and the picture alone.
_SEED = derive_seed(0, "sampling_softmax")


class SamplingSoftmax(Recipe):
    """An ensemble with noisy logits.

    Scores are in-sample: they fade where wrong labels are memorised. Weighing rows by a mixture
    over the margin holds that off, but takes the weight of hard classes as a whole. Training on
    repaired labels holds it off, too, but a wrong label that is kept because its picture is hard
    is then learnt like any other, and may confirm itself.
    """

    score_name = f"{SCORES[SamplingSoftmaxSettings.score]}, scaled to [0, 1]"
    outputs = (_SCALE,)
    settings: SamplingSoftmaxSettings

    def __init__(self, settings: SamplingSoftmaxSettings) -> None:
        super().__init__(settings)
        self.networks = settings.members

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """Sigma beside the classifier, which gives mu."""
        own = self.settings
        head = ScaleHead(
            feature_dim,
            context.classes,
            parametrisation=own.parametrisation,
            start=own.initial_scale,
        )
        return {_SCALE: head}

    def warm_up(self, context: Context) -> list[Pass]:
        """Train on the observed labels with the same loss."""
        learn = self.settings.learn_scale_in_warm_up
        return self._train(context, _one_hot(context), learn_scale=learn)

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Train on observed labels with weights, on repaired ones, or on observed ones."""
        use = self.settings.train_on
        if split is None or use == "observed":
            return self._train(context, _one_hot(context))
        if use == "weighted":
            weight = torch.from_numpy(split[0].clean_probability[0]).to(context.device)
            return self._train(context, _one_hot(context) * weight[:, None])  # linear in targets
        return self._train(context, torch.from_numpy(split[1].distribution).to(context.device))

    def needs_partition(self, number: int, context: Context) -> bool:
        """Not where training looks at the observed labels only."""
        return self.settings.train_on != "observed"

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Fit a two-component Gaussian mixture over the score of the expected softmax."""
        own, doubt = self.settings, self._doubt(seen)
        score = scale_to_unit(
            disagreement_score(
                doubt.probabilities, context.observed, doubt.aleatoric, score=own.score
            )
        )
        fit = fit_two_gaussians(score, seed=derive_seed(context.seed, "mixture", 0))
        return Partition(
            f"{SCORES[own.score]}, scaled to [0, 1]",
            score.astype(np.float32)[None],
            fit.clean_probability[None],
            doubt.probabilities[None],
            evidence={"aleatoric": doubt.aleatoric, "epistemic": doubt.epistemic},
            parameters={"net_0": fit.parameters},
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Keep hard rows, soften ambiguous ones, relabel what a sure prediction contradicts."""
        decided = decide_by_doubt(
            partition.probabilities[0],
            observed,
            partition.clean_probability[0],
            aleatoric=partition.evidence["aleatoric"],
            epistemic=partition.evidence["epistemic"],
            aleatoric_quantile=self.settings.aleatoric_quantile,
            epistemic_quantile=self.settings.epistemic_quantile,
        )
        if self.settings.train_on != "weighted":
            return decided
        return replace(decided, weight=partition.clean_probability[0])

    def predict(self, seen: Observation, memory: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predict by the ensemble's expected softmax."""
        own = self.settings
        return ensemble_probabilities(
            seen.logits,
            seen.outputs[_SCALE],
            split=own.split,
            samples=own.evaluation_samples,
            seed=_SEED,
        )

    def combine(
        self,
        logits: Tensor,
        outputs: Mapping[str, Tensor],
        memory: Mapping[str, np.ndarray],
        *,
        past_warm_up: bool,
    ) -> Tensor:
        """Take the expected softmax over the draws that `predict` takes."""
        own, scale = self.settings, outputs[_SCALE]
        if own.split == "gaussian_logits":
            centred = logits - logits.mean(dim=2, keepdim=True)
            variance = scale.square().mean(dim=0) + centred.var(dim=0, correction=0)
            logits, scale = centred.mean(dim=0, keepdim=True), variance.sqrt()[None]
        draws = standard_draws(logits.shape[2], own.evaluation_samples, _SEED)
        noise = torch.from_numpy(draws).to(logits)[:, 0]
        # (M, N, K, T) would be large: one member at a time.
        members = [
            torch.softmax(mu[..., None] + sigma[..., None] * noise, dim=1).mean(dim=2)
            for mu, sigma in zip(logits, scale, strict=True)
        ]
        return torch.stack(members).mean(dim=0)

    def uncertainty(self, seen: Observation) -> dict[str, np.ndarray]:
        """Entropies in nats."""
        doubt = self._doubt(seen)
        return {
            "aleatoric": doubt.aleatoric,
            "epistemic": doubt.epistemic,
            "total": doubt.total,
        }

    def _doubt(self, seen: Observation) -> Uncertainty:
        own = self.settings
        return split_uncertainty(
            seen.logits,
            seen.outputs[_SCALE],
            split=own.split,
            samples=own.evaluation_samples,
            seed=_SEED,
        )

    def _train(self, context: Context, targets: Tensor, *, learn_scale: bool = True) -> list[Pass]:
        """Train each member in a pass of its own: other batches, other augmentation."""
        return [
            pass_over_all(
                context,
                "heteroscedastic",
                self._objective(n, targets, learn_scale),
                networks=(n,),
            )
            for n in range(self.networks)
        ]

    def _objective(self, network: int, targets: Tensor, learn_scale: bool) -> Objective:
        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            found = step.networks[network].outputs(batch.views[0], self.outputs)
            log_p = sampled_log_softmax(
                found["logits"],
                found[_SCALE] if learn_scale else found[_SCALE].detach(),
                samples=self.settings.training_samples,
                generator=step.generator,
            )
            return [Term("nll", heteroscedastic_nll(log_p, targets[batch.rows]))]

        return objective


def _one_hot(context: Context) -> Tensor:
    return torch.eye(context.classes, device=context.device)[context.targets]
