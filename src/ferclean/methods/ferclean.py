"""ferclean: train through what the audit says of the labels.

M networks see all rows, each in an order of its own. Of every row a running mean t of each
network's earlier predictions is kept (ELR, arXiv 2007.00151); their mean over the networks is
steadier than any last word, and it was mostly said before the row's label was learnt by heart.
Before every epoch after warm-up, :func:`~ferclean.audit.auditor.audit_labels` looks at these means.
What the first audit measures decides how the run goes on, for each remedy does harm where another
one is due:

* Where the audit's suggestions are expected to be right for most rows, the more of them the less
  noise there is to fight, labels are **repaired**: each network trains with MixMatch (DivideMix,
  ICLR 2020) on the rows whose label is what the next network predicts, refined by the quality that
  an audit of that network's predictions gives them, and on guesses for the others. Networks that
  know the classes so well would otherwise go on to learn wrong labels by heart.
* Where they are not, a guess is worse than a label, and networks learn all labels as they are:
  flips are a matter of class and average out. People's errors do not, they sit on hard pictures.
  What keeps them from being learnt is the networks' own early view (ELR's regulariser), in the
  share s in which such errors rather than flips are met and the measure r in which the noise rate
  asks for it, both in [0, 1]: ``L = CE(f(x), y) + lambda r s log(1 - <t, p>)``. Where, besides,
  most of these errors go one way, predictions are translated from what annotators would say to
  what is likely true (:mod:`ferclean.audit.translation`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ferclean.audit.auditor import audit_labels
from ferclean.audit.calibration import fit_temperature
from ferclean.audit.translation import directed_share, label_meaning, translate
from ferclean.config.methods.ferclean import FercleanSettings
from ferclean.losses.classification import cross_entropy
from ferclean.losses.early_learning import early_learning_penalty
from ferclean.methods.base import Context, Recipe, Split, pass_over_all, required, softmax
from ferclean.methods.co_divide import semi_supervised_pass
from ferclean.methods.elr import predict_and_move, settled_target
from ferclean.methods.remedies import direction, measured, rightness_needed
from ferclean.partition.noise_rate import unlabelled_weight_for
from ferclean.relabel.decision import Relabelling, decide
from ferclean.relabel.sharpen import sharpen
from ferclean.tables.partitions import RUNNING_TARGET, Partition
from ferclean.train.mixmatch import MixMatch
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Step, Term

_POSTERIOR, _PREDICTION, _MEASURES = "posterior", "prediction", "measures"
_MEANING, _CALIBRATION, _DIRECTED = "label_meaning", "temperature", "directed"
# DivideMix's for CIFAR-10 (Li et al. 2020, section 4.2).
_MIXUP_ALPHA, _TEMPERATURE, _RAMP_UP_EPOCHS = 4.0, 0.5, 16.0


class Ferclean(Recipe):
    """Running targets, audited; then repair, or early-learning regularisation."""

    score_name = "label quality"
    predict_memory = (_MEASURES, _MEANING, _CALIBRATION, _DIRECTED)
    settings: FercleanSettings

    def __init__(self, settings: FercleanSettings) -> None:
        super().__init__(settings)
        self.networks = settings.networks

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Start all running targets at 0: a row counts from its first batch on.

        The measures of the first audit are unknown so far.
        """
        shape = (len(context.observed), context.classes)
        targets = {name: np.zeros(shape, dtype=np.float32) for name in self._targets()}
        return {
            **targets,
            _MEASURES: np.full(3, np.nan),
            _MEANING: np.eye(context.classes),
            _CALIBRATION: np.ones(1),
            _DIRECTED: np.zeros(1),
        }

    def warm_up(self, context: Context) -> list[Pass]:
        """Cross-entropy on the labels as they are."""
        return self._learn(context, regularisation=0.0, kind="warm_up")

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Audit the networks' mean running target.

        A row that no batch held so far has no running target: its prediction stands in. Under
        repair not every row is met in every epoch, nor as it is; there the targets move here.
        """
        prediction = softmax(seen.logits).mean(axis=0)
        total = np.sum([memory[name] for name in self._targets()], axis=0)
        target = settled_target(total, prediction)
        measures = memory[_MEASURES]
        if self.repairs(measures):
            momentum = self.settings.momentum
            target = momentum * target + (1.0 - momentum) * prediction
        audit = audit_labels(target, context.observed)
        if np.isnan(measures).any():
            measures = measured(audit)
        meaning = label_meaning(audit.posterior, context.observed)
        found = {
            "steepness": audit.steepness,
            "noise_rate": audit.noise_rate,
            _MEASURES: measures.tolist(),
            _MEANING: meaning.tolist(),
            _CALIBRATION: [fit_temperature(softmax(seen.logits.mean(axis=0)), context.observed)],
            _DIRECTED: [directed_share(meaning, context.observed)],
        }
        evidence = {RUNNING_TARGET: target.astype(np.float32), _POSTERIOR: audit.posterior}
        if self.repairs(measures):
            said = softmax(seen.logits)
            evidence |= {f"{_PREDICTION}_{net}": each for net, each in enumerate(said)}
        return Partition(
            self.score_name,
            audit.label_quality[None],
            audit.label_quality[None],
            prediction[None],
            threshold=audit.cut_off,
            evidence=evidence,
            parameters={"audit": found},
        )

    def remember(
        self, memory: Mapping[str, np.ndarray], partition: Partition
    ) -> dict[str, np.ndarray]:
        """Keep the first audit's measures, the last one's translation, and targets that moved."""
        kept = (_MEASURES, _MEANING, _CALIBRATION, _DIRECTED)
        told = {name: np.array(partition.parameters["audit"][name]) for name in kept}
        moved = {}
        if self.repairs(told[_MEASURES]):
            moved = {name: partition.evidence[RUNNING_TARGET].copy() for name in self._targets()}
        return {**memory, **moved, **told}

    def predict(self, seen: Observation, memory: Mapping[str, np.ndarray]) -> np.ndarray:
        """Translate the networks' prediction as far as people's errors were met that go one way."""
        said = super().predict(seen, memory)
        share, temperature = self._translation(memory)
        if share == 0:
            return said
        return translate(said, memory[_MEANING], temperature=temperature, share=share)

    def combine(
        self,
        logits: torch.Tensor,
        outputs: Mapping[str, torch.Tensor],
        memory: Mapping[str, np.ndarray],
        *,
        past_warm_up: bool,
    ) -> torch.Tensor:
        """Translate the mean prediction, as `predict` does."""
        said = super().combine(logits, outputs, memory, past_warm_up=past_warm_up)
        share, temperature = self._translation(memory)
        meaning = torch.from_numpy(memory[_MEANING]).to(said)
        return (1.0 - share) * said + share * (sharpen(said, temperature) @ meaning)

    def _translation(self, memory: Mapping[str, np.ndarray]) -> tuple[float, float]:
        """Return how far predictions are translated, in [0, 1], and at which temperature."""
        remedy = self._remedy(memory[_MEASURES]) if self.settings.translate else 0.0
        share = remedy * direction(float(memory[_DIRECTED][0]))
        return share, float(memory[_CALIBRATION][0])

    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Take the audit's posterior as the label distribution."""
        return decide(
            partition.evidence[_POSTERIOR],
            observed,
            partition.clean_probability[0],
            threshold=partition.threshold,
            reasons=(
                "the audit finds no fault with the label",
                "the audit finds another class more likely",
                "the audit doubts the label, but finds no other class more likely",
            ),
        )

    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Repair, or learn the labels as they are with the regulariser in its measure."""
        partition, _ = required(split)
        measures = np.array(partition.parameters["audit"][_MEASURES])
        if self.repairs(measures):
            return [self._repair(net, context, partition) for net in range(self.networks)]
        weight = self.settings.regularisation * self._remedy(measures)
        return self._learn(context, regularisation=weight, kind="audited")

    def _remedy(self, measures: np.ndarray) -> float:
        """Return how far people's errors ask for a remedy, in [0, 1]; 0 before it is known."""
        if np.isnan(measures).any() or self.repairs(measures):
            return 0.0
        share, urgency, _ = measures
        return float(share * urgency)

    def _targets(self) -> list[str]:
        return [f"{RUNNING_TARGET}_{net}" for net in range(self.networks)]

    def repairs(self, measures: np.ndarray) -> bool:
        """Tell whether labels are repaired; not before they were measured (NaN)."""
        _, urgency, right = measures
        return bool(self.settings.repair and right > rightness_needed(urgency))

    def _learn(self, context: Context, *, regularisation: float, kind: str) -> list[Pass]:
        return [
            self._learning_pass(context, net, regularisation, kind) for net in range(self.networks)
        ]

    def _learning_pass(self, context: Context, net: int, weight: float, kind: str) -> Pass:
        """Train one network; its running targets move before they are looked at."""

        def objective(step: Step) -> list[Term]:
            name, momentum = f"{RUNNING_TARGET}_{net}", self.settings.momentum
            logits, prediction, moved = predict_and_move(step, net, name, momentum)
            labels = context.targets[step.batches["all"].rows]
            terms = [Term("given", cross_entropy(logits, labels))]
            if weight > 0:
                penalty = early_learning_penalty(prediction, moved)
                terms.append(Term("regulariser", penalty, weight))
            return terms

        return pass_over_all(context, kind, objective, networks=(net,))

    def _repair(self, net: int, context: Context, partition: Partition) -> Pass:
        """Train one network with MixMatch, by what the next one says of each label."""
        peer = (net + 1) % self.networks
        said = partition.evidence[f"{_PREDICTION}_{peer}"]
        quality = audit_labels(said, context.observed).label_quality
        objective = MixMatch(
            network=net,
            peer=peer,
            observed=context.targets,
            clean_probability=torch.from_numpy(quality).to(context.device),
            classes=context.classes,
            alpha=_MIXUP_ALPHA,
            temperature=_TEMPERATURE,
            unlabelled_weight=unlabelled_weight_for(
                partition.parameters["audit"]["noise_rate"], context.classes
            ),
            ramp_up_start=context.training.warm_up_epochs,
            ramp_up_epochs=_RAMP_UP_EPOCHS,
        )
        half = max(1, context.training.batch_size // 2)
        return semi_supervised_pass(
            context,
            objective,
            network=net,
            labelled=said.argmax(axis=1) == context.observed,
            batch_sizes=(half, half),
            strong_views=0,
        )
