"""ferclean: train through what the audit says of the labels.

M networks see all rows, each in an order of its own. Of every row a running mean t of each
network's earlier predictions is kept (ELR, arXiv 2007.00151); their mean over the networks is
steadier than any last word, and it was mostly said before the row's label was learnt by heart.
Before every epoch after warm-up, :func:`~ferclean.audit.auditor.audit_labels` looks at these means
and tells the transitions T by which labels were flipped, and the share s in [0, 1] in which errors
of people rather than flips are met. Both kinds have their remedy, and each does harm where the
other is due:

* flips are a matter of class: networks learn the true class behind the given label (forward
  correction, Patrini et al., CVPR 2017), with ``T_s = (1 - s) T + s I``;
* people's errors sit on hard pictures, whatever the class: what keeps them from being learnt is
  the networks' own early view (ELR's regulariser), in the measure s. Where labels are right it
  holds learning back, so it also waits for the estimated noise rate to ask for it, by a factor r.

``L = -log sum_k p_k T_s[k, y] + lambda r s log(1 - <t, p>)``. Both measures are those of the first
audit: later ones see labels that were learnt by heart since, and would find less and less noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.special import expit

from ferclean.audit.auditor import audit_labels
from ferclean.config.methods.ferclean import FercleanSettings
from ferclean.losses.early_learning import (
    clipped_prediction,
    early_learning_penalty,
    moved_target,
)
from ferclean.losses.transition import forward_cross_entropy
from ferclean.methods.base import Context, Recipe, Split, pass_over_all, required, softmax
from ferclean.methods.elr import settled_target
from ferclean.relabel.decision import Relabelling, decide
from ferclean.tables.partitions import RUNNING_TARGET, Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Pass, Step, Term

_POSTERIOR, _MEASURES = "posterior", "measures"
# Steepness is 0.1 to 0.2 where labels were flipped and 0.45 to 0.6 with FER2013's own labels, at
# all epochs of a run on training rows.
_SHARE_CENTRE, _SHARE_WIDTH = 0.35, 0.05
# First estimates: 0.26 where all labels are right, 0.42 where 34 % are not.
_RATE_CENTRE, _RATE_WIDTH = 0.3, 0.01


class Ferclean(Recipe):
    """Running targets, audited; forward correction and early-learning regularisation."""

    score_name = "label quality"
    settings: FercleanSettings

    def __init__(self, settings: FercleanSettings) -> None:
        super().__init__(settings)
        self.networks = settings.networks

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Start all running targets at 0: a row counts from its first batch on.

        The measures of the first audit, share and urgency, are unknown so far.
        """
        shape = (len(context.observed), context.classes)
        targets = {
            f"{RUNNING_TARGET}_{net}": np.zeros(shape, dtype=np.float32)
            for net in range(self.networks)
        }
        return {**targets, _MEASURES: np.full(2, np.nan)}

    def warm_up(self, context: Context) -> list[Pass]:
        """Cross-entropy on the labels as they are."""
        return self._passes(context, np.eye(context.classes), regularisation=0.0, kind="warm_up")

    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Audit the networks' mean running target.

        A row that no batch held so far has no running target: its prediction stands in.
        """
        prediction = softmax(seen.logits).mean(axis=0)
        total = np.sum([memory[f"{RUNNING_TARGET}_{net}"] for net in range(self.networks)], axis=0)
        target = settled_target(total, prediction)
        audit = audit_labels(target, context.observed)
        measures = memory[_MEASURES]
        if np.isnan(measures).any():
            measures = np.array([human_share(audit.steepness), noise_urgency(audit.noise_rate)])
        found = {
            "transitions": audit.flip_transitions.tolist(),
            "steepness": audit.steepness,
            "noise_rate": audit.noise_rate,
            _MEASURES: measures.tolist(),
        }
        return Partition(
            self.score_name,
            audit.label_quality[None],
            audit.label_quality[None],
            prediction[None],
            threshold=audit.cut_off,
            evidence={RUNNING_TARGET: target.astype(np.float32), _POSTERIOR: audit.posterior},
            parameters={"audit": found},
        )

    def remember(
        self, memory: Mapping[str, np.ndarray], partition: Partition
    ) -> dict[str, np.ndarray]:
        """Keep the measures of the first audit."""
        return {**memory, _MEASURES: np.array(partition.parameters["audit"][_MEASURES])}

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
        """``-log sum_k p_k T_s[k, y] + lambda r s log(1 - <t, p>)``, for each network."""
        partition, _ = required(split)
        found, own = partition.parameters["audit"], self.settings
        (share, urgency), even = found[_MEASURES], np.eye(context.classes)
        mixed = (1.0 - share) * np.array(found["transitions"]) + share * even
        return self._passes(
            context,
            mixed if own.correction else even,
            regularisation=own.regularisation * share * urgency,
            kind="audited",
        )

    def _passes(
        self, context: Context, transitions: np.ndarray, *, regularisation: float, kind: str
    ) -> list[Pass]:
        return [
            self._pass(context, net, transitions, regularisation, kind)
            for net in range(self.networks)
        ]

    def _pass(
        self, context: Context, net: int, transitions: np.ndarray, weight: float, kind: str
    ) -> Pass:
        """Train one network; its running targets move before they are looked at."""
        given = torch.tensor(transitions[None], dtype=torch.float32, device=context.device)

        def objective(step: Step) -> list[Term]:
            batch, targets = step.batches["all"], step.memory[f"{RUNNING_TARGET}_{net}"]
            logits = step.networks[net](batch.views[0])
            prediction = clipped_prediction(logits)
            moved = moved_target(targets[batch.rows], prediction, self.settings.momentum)
            targets[batch.rows] = moved
            labels = context.targets[batch.rows][:, None]
            terms = [Term("corrected", forward_cross_entropy(logits, given, labels))]
            if weight > 0:
                penalty = early_learning_penalty(prediction, moved)
                terms.append(Term("regulariser", penalty, weight))
            return terms

        return pass_over_all(context, kind, objective, networks=(net,))


def human_share(steepness: float) -> float:
    """Return how far people's errors rather than flips are met, in [0, 1].

    Parameters
    ----------
    steepness : float
        See :class:`~ferclean.audit.disagreement.Disagreement`.
    """
    return float(expit((steepness - _SHARE_CENTRE) / _SHARE_WIDTH))


def noise_urgency(noise_rate: float) -> float:
    """Return how far an estimated share of wrong labels asks for regularisation, in [0, 1]."""
    return float(expit((noise_rate - _RATE_CENTRE) / _RATE_WIDTH))
