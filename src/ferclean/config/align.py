"""Section ``align``: face detection and the similarity warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import setting


@dataclass(frozen=True)
class AlignSettings:
    """How faces are found and cut out."""

    detector: Literal["mtcnn", "already_aligned"] = setting(
        "mtcnn",
        "Find faces with MTCNN, or take pictures as aligned faces: the largest centred square is "
        "resized.",
    )
    size: int = setting(
        224, "Height and width of an aligned face (48, 64, 112, 224).", minimum=16, maximum=4096
    )
    color: Literal["rgb", "grey"] = setting("rgb", "Channels of the pack.")
    pack: Literal["raw", "png", "jpeg"] = setting(
        "raw",
        "How aligned faces are kept: their bytes, or compressed, without loss or as JPEG of "
        "quality 95; decoded while training.",
    )
    several_faces: Literal["largest", "most_central", "highest_score"] = setting(
        "largest", "Which face is taken when a picture holds several."
    )
    no_face: Literal["drop", "centre_crop", "error"] = setting(
        "drop", "What happens to a picture without a face: quarantine, crop, or stop."
    )
    min_face_size: int = setting(20, "Smallest face MTCNN looks for, in pixels.", minimum=10)
    margin: float = setting(
        0.0,
        "Context around the canonical face template, as a share of its size.",
        minimum=0,
        maximum=1,
    )
    detection_side: int = setting(
        1600,
        "Pictures with a longer side are shrunk to it, in pixels, for detection only; faces are "
        "cut from the full picture.",
        minimum=64,
        maximum=2800,
    )
    batch_size: int = setting(
        32, "Most pictures per detector call; a CPU takes fewer where that is faster.", minimum=1
    )
