"""Sections ``model`` and ``training``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferclean.config.fields import check_range, setting


@dataclass(frozen=True)
class ModelSettings:
    """The backbone of every network."""

    name: Literal[
        "tiny48",
        "resnet18",
        "resnet18_3x3",
        "preact_resnet18",
        "vgg16",
        "resnet50",
        "inception_resnet_v1",
    ] = setting("tiny48", "Backbone.")
    weights: str | None = setting(
        None, "Local file with pretrained backbone weights, loaded strictly."
    )
    dropout: float = setting(0.2, "Dropout before the classifier.", minimum=0, maximum=0.95)


@dataclass(frozen=True)
class OptimizerSettings:
    """Optimiser and learning-rate schedule."""

    name: Literal["adamw", "adam", "sgd"] = setting("adamw", "Optimiser.")
    learning_rate: float = setting(3e-3, "Peak learning rate.", above=0)
    weight_decay: float = setting(0.05, "Weight decay.", minimum=0)
    momentum: float = setting(0.9, "Momentum of sgd.", minimum=0, maximum=1)
    schedule: Literal["one_cycle", "cosine", "constant", "step"] = setting(
        "one_cycle", "Learning rate over all epochs, warm-up included."
    )
    milestones: tuple[float, ...] = setting(
        (), "Epochs at which the step schedule multiplies the rate by gamma.", minimum=0
    )
    gamma: float = setting(0.1, "Factor of the step schedule.", above=0, maximum=1)


@dataclass(frozen=True)
class AugmentSettings:
    """Random changes of training pictures, drawn per sample on the training device."""

    flip: bool = setting(True, "Mirror half of the pictures.")
    shift: int = setting(4, "Largest shift in pixels.", minimum=0)
    padding: Literal["reflect", "zero"] = setting("reflect", "What a shift brings in at the edge.")
    erase: float = setting(0.0, "Chance of erasing a rectangle.", minimum=0, maximum=1)
    erase_area: tuple[float, ...] = setting(
        (0.02, 0.25), "Smallest and largest erased share of the picture.", minimum=0, maximum=1
    )

    policy: Literal["none", "randaugment", "autoaugment", "autoaugment_imagenet"] = setting(
        "none",
        "Further operations after shift and mirror and before erasing: drawn at random, or pairs "
        "learned on CIFAR-10 or ImageNet.",
    )
    operations: int = setting(2, "Operations a picture, of randaugment.", minimum=1)
    magnitude: int = setting(
        9, "Their strength on a scale of 0 to 30, of randaugment.", minimum=0, maximum=30
    )

    def check(self, where: str) -> None:
        """Check that the area range has two ordered ends."""
        check_range(self.erase_area, f"{where}.erase_area")


@dataclass(frozen=True)
class TrainingSettings:
    """The trainer that all methods share."""

    warm_up_epochs: int = setting(5, "Epochs of the method's own warm-up.", minimum=1)
    rounds: int = setting(3, "Rounds of partition and training.", minimum=0)
    epochs_per_round: int = setting(5, "Training epochs in a round.", minimum=1)
    batch_size: int = setting(128, "Pictures per step.", minimum=2)
    normalise_mean: tuple[float, ...] = setting(
        (0.5,), "Subtracted from pixels in [0, 1]: one number, or one a channel."
    )
    normalise_scale: tuple[float, ...] = setting(
        (0.25,), "Pixels are divided by this afterwards: one number, or one a channel.", above=0
    )
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "auto: bfloat16 autocast where the hardware multiplies it fast, else float32."
    )
    compile: bool = setting(
        False,
        "Compile the backbone once for each batch size, which pays in long runs; other last bits. "
        "Where it cannot be compiled, or (eac) is taken apart for its maps, it runs as it is.",
    )
    pictures: Literal["auto", "resident", "streamed"] = setting(
        "auto",
        "Keep all pictures on the training device, or read them step by step: the same bits. auto "
        "keeps what takes half of a GPU's free memory, or a quarter of the machine's.",
    )
    decode: Literal["processor", "device"] = setting(
        "processor",
        "Where JPEG packs are decoded: in cpu_threads threads, or on the GPU, whose decoder gives "
        "other last bits.",
    )
    cpu_threads: int = setting(
        1,
        "Threads of one training job on a CPU, and those that read pictures; for a CPU, another "
        "number gives other last bits.",
        minimum=1,
        maximum=1024,
    )
    processes: int = setting(
        1,
        "Processes that train a run together, each on its share of every batch: on a GPU of its "
        "own, or on cpu_threads cores.",
        minimum=1,
    )
    deterministic: bool = setting(True, "Use only operations that give the same bits each time.")
    optimizer: OptimizerSettings = setting(OptimizerSettings(), "Optimiser.")
    augment: AugmentSettings = setting(AugmentSettings(), "Augmentation.")
    strong_augment: AugmentSettings = setting(
        AugmentSettings(erase=0.5, policy="randaugment"),
        "Augmentation of the strong views that some methods take.",
    )

    @property
    def total_epochs(self) -> int:
        """Epochs of a whole run: warm-up and all rounds."""
        return self.warm_up_epochs + self.rounds * self.epochs_per_round
