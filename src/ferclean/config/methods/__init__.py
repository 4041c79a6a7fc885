"""Section ``methods``: every method's settings, free of torch so that checks are fast.

A new method adds a settings class in this package, its recipe in :mod:`ferclean.methods`, and
one line in :class:`MethodsSettings`.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import Any

from ferclean.config.methods.co_divide import DivideMixSettings
from ferclean.config.methods.co_teaching import CoTeachingSettings
from ferclean.config.methods.confident_learning import ConfidentLearningSettings
from ferclean.config.methods.controls import (
    CrossEntropyEnsembleSettings,
    CrossEntropySettings,
    LabelSmoothingSettings,
    MixupSettings,
    OracleCleanSettings,
)
from ferclean.config.methods.dmue import DmueSettings
from ferclean.config.methods.eac import EacSettings
from ferclean.config.methods.elr import ElrSettings
from ferclean.config.methods.ferclean import FercleanSettings
from ferclean.config.methods.la_net import LaNetSettings
from ferclean.config.methods.ldl_alsg import LdlAlsgSettings
from ferclean.config.methods.ltnet import LtnetSettings
from ferclean.config.methods.resup import ResupSettings
from ferclean.config.methods.rul import RulSettings
from ferclean.config.methods.sampling_softmax import SamplingSoftmaxSettings
from ferclean.config.methods.sce_ald import SceAldSettings
from ferclean.config.methods.scn import ScnSettings
from ferclean.config.methods.smp import SmpSettings
from ferclean.config.methods.smr import SmrSettings
from ferclean.config.methods.ssr import SsrSettings
from ferclean.config.methods.unicon import UniconSettings
from ferclean.errors import unknown_name


def method(default: Any, recipe: str, help_text: str, *, inputs: tuple[str, ...] = ()) -> Any:
    """Register a method: one field of :class:`MethodsSettings`.

    Parameters
    ----------
    default : object
        The method's settings dataclass with its defaults.
    recipe : str
        ``"module:Class"`` below :mod:`ferclean.methods`.
    help_text : str
        What stands in the reference of parameters.
    inputs : tuple of str
        Files that its training steps read beside faces and labels, by the names of
        :data:`ferclean.config.side_inputs.SIDE_INPUTS`.
    """
    bounds = {"minimum": None, "maximum": None, "above": None}
    metadata = {"help": help_text, "recipe": recipe, "inputs": inputs, **bounds}
    return dataclasses.field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)


@dataclass(frozen=True)
class MethodsSettings:
    """One entry a method; a method that is left out takes its defaults."""

    cross_entropy: CrossEntropySettings = method(
        CrossEntropySettings(), "cross_entropy:CrossEntropy", "The control."
    )
    oracle_clean: OracleCleanSettings = method(
        OracleCleanSettings(), "cross_entropy:OracleClean", "The ceiling."
    )
    cross_entropy_ensemble: CrossEntropyEnsembleSettings = method(
        CrossEntropyEnsembleSettings(),
        "cross_entropy:CrossEntropyEnsemble",
        "The control of methods with several networks.",
    )
    mixup: MixupSettings = method(MixupSettings(), "mixup:Mixup", "Mixup.")
    label_smoothing: LabelSmoothingSettings = method(
        LabelSmoothingSettings(), "label_smoothing:LabelSmoothing", "Label smoothing."
    )
    ferclean: FercleanSettings = method(
        FercleanSettings(), "ferclean:Ferclean", "The audit in the training loop."
    )
    resup: ResupSettings = method(ResupSettings(), "resup:Resup", "ReSup.")
    smr: SmrSettings = method(SmrSettings(), "smr:Smr", "SMR.")
    dividemix: DivideMixSettings = method(
        DivideMixSettings(), "dividemix:DivideMix", "DivideMix, AugDesc."
    )
    unicon: UniconSettings = method(UniconSettings(), "unicon:Unicon", "UNICON.")
    co_teaching: CoTeachingSettings = method(
        CoTeachingSettings(), "co_teaching:CoTeaching", "Co-teaching."
    )
    elr: ElrSettings = method(ElrSettings(), "elr:Elr", "Early-learning regularisation.")
    smp: SmpSettings = method(SmpSettings(), "smp:Smp", "Self-learning with multi-prototypes.")
    ssr: SsrSettings = method(SsrSettings(), "ssr:Ssr", "SSR and SSR+.")
    ldl_alsg: LdlAlsgSettings = method(
        LdlAlsgSettings(),
        "ldl_alsg:LdlAlsg",
        "Label distributions of neighbours.",
        inputs=("landmarks",),
    )
    la_net: LaNetSettings = method(
        LaNetSettings(),
        "la_net:LaNet",
        "LA-Net's label distribution estimation.",
        inputs=("landmarks",),
    )
    sce_ald: SceAldSettings = method(
        SceAldSettings(),
        "sce_ald:SceAld",
        "Label distribution amendment with semantic correlations.",
        inputs=("semantic_similarity", "word_vectors"),
    )
    sampling_softmax: SamplingSoftmaxSettings = method(
        SamplingSoftmaxSettings(),
        "sampling_softmax:SamplingSoftmax",
        "Sampling softmax with aleatoric and epistemic doubt.",
    )
    scn: ScnSettings = method(ScnSettings(), "scn:Scn", "SCN.")
    rul: RulSettings = method(RulSettings(), "rul:Rul", "RUL.")
    eac: EacSettings = method(EacSettings(), "eac:Eac", "EAC.")
    dmue: DmueSettings = method(DmueSettings(), "dmue:Dmue", "DMUE.")
    ltnet: LtnetSettings = method(LtnetSettings(), "ltnet:Ltnet", "LTNet of IPA2LT.")
    confident_learning: ConfidentLearningSettings = method(
        ConfidentLearningSettings(),
        "confident_learning:ConfidentLearning",
        "Confident learning, then training anew.",
    )

    def of(self, name: str) -> Any:
        """Return the settings of one method."""
        _field(name)
        return getattr(self, name)


_FIELDS = {field.name: field for field in dataclasses.fields(MethodsSettings)}
METHOD_NAMES = tuple(_FIELDS)


def recipe_of(name: str) -> str:
    """Return where a method's recipe stands, ``"module:Class"``."""
    recipe: str = _field(name).metadata["recipe"]
    return recipe


def inputs_of(name: str) -> tuple[str, ...]:
    """Return the names of the further files that a method's training steps read."""
    inputs: tuple[str, ...] = _field(name).metadata["inputs"]
    return inputs


def _field(name: str) -> dataclasses.Field[Any]:
    if name not in _FIELDS:
        raise unknown_name("method", name, METHOD_NAMES)
    return _FIELDS[name]
