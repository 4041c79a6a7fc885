"""SMP: deep self-learning with multi-prototypes (Han et al., ICCV 2019, arXiv 1908.02160).

One network. After a warm-up by cross-entropy, every epoch begins with label correction: some
rows of each class give p prototypes in feature space (equations 2 and 3), and each row's
corrected label is the class whose prototypes its features resemble most (equations 4 and 5).
Training uses the observed and the corrected label together (equation 6); the observed labels
are never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.special import expit

from ferclean.config.methods.smp import SmpSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context, Recipe, Split, pass_over_all, required, softmax
from ferclean.methods.cross_entropy import cross_entropy_pass
from ferclean.partition.prototypes import class_prototypes, class_similarity, corrected_labels
from ferclean.partition.scores import margin_score
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Step, Term
from ferclean.train.seeds import derive_seed

_SIMILARITY, _CORRECTED = "prototype_similarity", "corrected_label"


class Smp(Recipe):
    """Label correction by prototypes, and training on both labels."""

    score_name = "margin of the observed class's prototype similarity"
    outputs = ("features",)
    settings: SmpSettings

    def warm_up(self, context: Context) -> list[Pass]:
        """Equation 6 with alpha = 0."""
        return [cross_entropy_pass(context, network=0)]

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Equations 2 to 5 on the features of the plain pictures.

        The clean probability is the observed class's share against its strongest rival alone,
        under the softmax of similarities over the temperature: above one half exactly where
        the corrected label is the observed one.
        """
        features = seen.outputs["features"][0]
        if self.settings.centre_features:
            features = features - features.mean(axis=0, dtype=np.float64).astype(np.float32)
        prototypes = class_prototypes(
            features,
            context.observed,
            classes=context.classes,
            samples=self.settings.samples,
            count=self.settings.prototypes_per_class,
            rule=self.settings.prototypes,
            quantile=self.settings.density_quantile,
            limit=self.settings.diversity_limit,
            seed=derive_seed(context.seed, "prototypes", seen.epoch),
        )
        similarity = class_similarity(features, prototypes)
        margin = margin_score(similarity, context.observed)
        return Partition(
            self.score_name,
            margin.astype(np.float32)[None],
            expit(margin / self.settings.temperature).astype(np.float32)[None],
            softmax(seen.logits),
            evidence={
                _SIMILARITY: similarity,
                _CORRECTED: corrected_labels(similarity, context.observed),
            },
        )

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Show the softmax of the similarities: its largest class is the corrected label.

        The mixture ``(1 - alpha) y + alpha y_hat`` that training sees would tie at the
        published alpha of one half.
        """
        return decide(
            softmax(partition.evidence[_SIMILARITY] / self.settings.temperature),
            observed,
            partition.clean_probability[0],
            threshold=partition.threshold,
            reasons=(
                "most similar to the prototypes of its own class",
                "more similar to the prototypes of another class",
                "equally similar to the prototypes of two classes",
            ),
        )

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Equation 6 on all rows: ``(1 - alpha) CE(F(x), y) + alpha CE(F(x), y_hat)``."""
        partition, _ = required(split)
        corrected = torch.tensor(partition.evidence[_CORRECTED], device=context.device)
        alpha = self.settings.corrected_weight

        def objective(step: Step) -> list[Term]:
            batch = step.batches["all"]
            logits = step.networks[0](batch.views[0])
            observed = cross_entropy(logits, context.targets[batch.rows])
            repaired = cross_entropy(logits, corrected[batch.rows])
            return [Term("observed", observed, 1.0 - alpha), Term("corrected", repaired, alpha)]

        return [pass_over_all(context, "self_learning", objective)]
