"""Settings of EAC."""

from __future__ import annotations

from dataclasses import dataclass

from ferclean.config.fields import check_range, setting


@dataclass(frozen=True)
class EacSettings:
    """EAC: erasing attention consistency between a face and its mirror image.

    Defaults are the constants of the authors' code. What ``training.augment.erase`` erases is
    gone from both pictures alike, before this method's own erasing; the authors have none of it.
    """

    consistency_weight: float = setting(
        5.0, "lambda, the weight of the attention consistency.", minimum=0
    )
    erase: float = setting(0.5, "Chance of erasing a rectangle of a picture.", minimum=0, maximum=1)
    erase_area: tuple[float, ...] = setting(
        (0.02, 0.25), "Smallest and largest erased share of the picture.", minimum=0, maximum=1
    )
    independent_erase: bool = setting(
        True,
        "Erase face and mirror image each by itself, as the authors do where labels are noisy; "
        "else mirror the erased face.",
    )

    def check(self, where: str) -> None:
        """Check that the area range has two ordered ends."""
        check_range(self.erase_area, f"{where}.erase_area")
