"""Plain cross-entropy: the control that runs beside every method; an ensemble; the ceiling."""

from __future__ import annotations

from ferclean.config.methods.controls import CrossEntropyEnsembleSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.base import Context, pass_over_all
from ferclean.methods.plain import PlainRecipe
from ferclean.train.passes import Objective, Pass, Step, Term


class CrossEntropy(PlainRecipe):
    """Cross-entropy on the observed labels: one network, as many epochs as every other method."""

    kind = "cross_entropy"

    def objective(self, context: Context) -> Objective:
        """``CE(f(x), y)``."""
        return cross_entropy_objective(context, network=0)


class CrossEntropyEnsemble(CrossEntropy):
    """Cross-entropy by several networks, whose mean predicts: what a second network alone gives.

    Methods of two networks are held against it: beside one network they gain by the mean, too.
    """

    settings: CrossEntropyEnsembleSettings

    def __init__(self, settings: CrossEntropyEnsembleSettings) -> None:
        super().__init__(settings)
        self.networks = settings.networks

    def warm_up(self, context: Context) -> list[Pass]:
        """Train each network on all rows, in an order of its own."""
        return [cross_entropy_pass(context, network=net) for net in range(self.networks)]


class OracleClean(CrossEntropy):
    """Cross-entropy on the rows whose observed label is right: the ceiling.

    The selection is made by the noise step, which writes a label table of those rows; this
    recipe sees no truth.
    """


def cross_entropy_pass(context: Context, *, network: int, kind: str = "cross_entropy") -> Pass:
    """Return one epoch of plain cross-entropy on all rows for one network."""
    objective = cross_entropy_objective(context, network=network)
    return pass_over_all(context, kind, objective, networks=(network,))


def cross_entropy_objective(context: Context, *, network: int) -> Objective:
    """Return plain cross-entropy on the observed labels for one network."""

    def objective(step: Step) -> list[Term]:
        batch = step.batches["all"]
        targets = context.targets[batch.rows]
        return [
            Term("cross_entropy", cross_entropy(step.networks[network](batch.views[0]), targets))
        ]

    return objective
