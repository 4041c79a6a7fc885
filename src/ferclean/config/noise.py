"""Section ``noise``: details of the noise protocols (kind, rate and seed stand in ``grid``)."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import setting
from ferclean.errors import FercleanError, unknown_name

ASYMMETRIC_MAPS: dict[str, dict[str, str]] = {
    # LA-Net, class-dependent noise of facial expressions, in this project's class names.
    "fer": {
        "angry": "disgusted",
        "disgusted": "angry",
        "fear": "surprised",
        "happy": "neutral",
        "sad": "neutral",
        "surprised": "angry",
        "neutral": "sad",
    },
    # Patrini et al. 2017 and all that follow them, on CIFAR-10.
    "cifar10": {
        "truck": "automobile",
        "bird": "airplane",
        "deer": "horse",
        "cat": "dog",
        "dog": "cat",
    },
}


@dataclass(frozen=True)
class NoiseSettings:
    """Details that only some protocols read."""

    asymmetric_map: str | dict[str, str] = setting(
        "fer",
        "Where asymmetric noise sends each class: fer, cifar10, or your own class: class pairs; "
        "classes without an entry keep their labels.",
    )
    file: str | None = setting(
        None, "CSV or Parquet table with sample_id and label for the noise kind 'file'."
    )
    instance_spread: float = setting(
        0.1, "Standard deviation of the per-sample flip rate of instance noise.", above=0
    )

    def check(self, where: str) -> None:
        """Refuse a map that does not exist or says nothing."""
        if isinstance(self.asymmetric_map, str) and self.asymmetric_map not in ASYMMETRIC_MAPS:
            raise unknown_name(
                f"map for {where}.asymmetric_map", self.asymmetric_map, ASYMMETRIC_MAPS
            )
        if not self.asymmetric_map:
            raise FercleanError(f"{where}.asymmetric_map must name at least one class pair")

    def class_map(self) -> dict[str, str]:
        """Return the pairs of class names that asymmetric noise uses."""
        if isinstance(self.asymmetric_map, str):
            return dict(ASYMMETRIC_MAPS[self.asymmetric_map])
        return dict(self.asymmetric_map)
