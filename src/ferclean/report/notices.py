"""What every model and card says of its use, in the same words."""

from __future__ import annotations

PERCEIVED = "Labels are perceived expressions: what observers call a face, not what a person feels."
AI_ACT = (
    "In the European Union, Article 5(1)(f) of the AI Act (Regulation (EU) 2024/1689) prohibits AI "
    "systems that infer emotions of people at work and in education, but for medical or safety "
    "reasons."
)
