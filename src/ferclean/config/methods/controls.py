"""Settings of the controls."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting


@dataclass(frozen=True)
class CrossEntropySettings:
    """Plain cross-entropy: the control. It has no knob of its own."""


@dataclass(frozen=True)
class CrossEntropyEnsembleSettings:
    """Cross-entropy by several networks, whose mean predicts."""

    networks: int = setting(2, "How many; the methods compared with it mostly have 2.", minimum=2)


@dataclass(frozen=True)
class OracleCleanSettings:
    """Cross-entropy on the truly clean training rows: the ceiling. It has no knob of its own."""


@dataclass(frozen=True)
class MixupSettings:
    """Mixup of the observed labels. The default is the authors' constant."""

    alpha: float = setting(
        1.0, "Beta(alpha, alpha); larger ones (8 to 32) resist noise better.", above=0
    )


@dataclass(frozen=True)
class LabelSmoothingSettings:
    """Cross-entropy on smoothed observed labels. The default is the paper's constant."""

    smoothing: float = setting(
        0.1, "Share of the label that all classes have alike.", minimum=0, maximum=1
    )
