"""The sections of params.yaml: one settings dataclass each."""

from __future__ import annotations

from ferclean.config.align import AlignSettings
from ferclean.config.data import DataSettings
from ferclean.config.embedding import EmbeddingSettings
from ferclean.config.evaluate import EvaluateSettings
from ferclean.config.grid import GridSettings
from ferclean.config.methods import MethodsSettings
from ferclean.config.noise import NoiseSettings
from ferclean.config.report import ReportSettings
from ferclean.config.review import ReviewSettings
from ferclean.config.semantics import SemanticsSettings
from ferclean.config.training import ModelSettings, TrainingSettings

SECTIONS: dict[str, type] = {
    "data": DataSettings,
    "align": AlignSettings,
    "grid": GridSettings,
    "noise": NoiseSettings,
    "review": ReviewSettings,
    "semantics": SemanticsSettings,
    "embedding": EmbeddingSettings,
    "model": ModelSettings,
    "training": TrainingSettings,
    "methods": MethodsSettings,
    "evaluate": EvaluateSettings,
    "report": ReportSettings,
}
