"""What must be known of a model beside its weights: the side-car of an exported model."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from ferclean.config.align import AlignSettings
from ferclean.config.fields import build, setting
from ferclean.config.methods import METHOD_NAMES, MethodsSettings
from ferclean.config.training import ModelSettings
from ferclean.errors import FercleanError, unknown_name
from ferclean.faces.detect import LANDMARKS
from ferclean.faces.template import face_template

FORMAT = "ferclean-model-1"
_COLOURS: dict[int, Literal["grey", "rgb"]] = {1: "grey", 3: "rgb"}
# Keys of the file that are for people and other programs: nothing here reads them.
_FOR_OTHERS = ("libraries", "weights", "intended_use")


@dataclass(frozen=True)
class Preprocessing:
    """From a photograph to what the networks are given."""

    size: int = setting(48, "Height and width of a face.", minimum=16, maximum=4096)
    channels: int = setting(1, "1 is grey (BT.601 luma), 3 is RGB.", minimum=1, maximum=3)
    normalise_mean: tuple[float, ...] = setting((0.5,), "Subtracted from pixels in [0, 1].")
    normalise_scale: tuple[float, ...] = setting((0.25,), "Divisor of pixels.", above=0)
    detector: Literal["mtcnn", "already_aligned"] = setting(
        "mtcnn", "How the faces of training were found."
    )
    margin: float = setting(0.0, "Context around the template.", minimum=0, maximum=1)

    def align_settings(self) -> AlignSettings:
        """Return how faces are cut like those of training."""
        return AlignSettings(
            detector="mtcnn",
            size=self.size,
            color=_COLOURS[self.channels],
            margin=self.margin,
            no_face="drop",
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, and the template for programs that align by themselves."""
        points = face_template(self.size, margin=self.margin).round(4).tolist()
        return {
            **_plain(self),
            "pixels": "uint8 / 255, minus normalise_mean, divided by normalise_scale",
            "template": dict(zip(LANDMARKS, points, strict=True)),
        }


@dataclass(frozen=True)
class _Numbers:
    """The parts of a side-car that are a number or a list of names."""

    classes: tuple[str, ...] = setting((), "Class order of the scores.")
    networks: int = setting(1, "Number of networks.", minimum=1, maximum=64)
    epochs: int = setting(0, "Epochs they were trained for.", minimum=0)
    warm_up_epochs: int = setting(0, "Of which warm-up.", minimum=0)


@dataclass(frozen=True)
class ModelFacts:
    """What a model is.

    Attributes
    ----------
    classes : tuple of str
        Class order of the scores.
    preprocessing : Preprocessing
    backbone : ModelSettings
    method : str
        Name of the recipe.
    settings : object
        The recipe's settings.
    networks : int
    epochs, warm_up_epochs : int
        Epochs of training, warm-up included, and of the warm-up.
    training : dict
        Where the model comes from; for people.
    """

    classes: tuple[str, ...]
    preprocessing: Preprocessing
    backbone: ModelSettings
    method: str
    settings: Any
    networks: int
    epochs: int
    warm_up_epochs: int
    training: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, which :func:`read_facts` takes."""
        return {
            "format": FORMAT,
            "classes": list(self.classes),
            "preprocessing": self.preprocessing.as_dict(),
            "backbone": {"name": self.backbone.name},
            "method": {"name": self.method, "settings": _plain(self.settings)},
            "networks": self.networks,
            "epochs": self.epochs,
            "warm_up_epochs": self.warm_up_epochs,
            "training": self.training,
        }


def read_facts(raw: Any, where: str) -> ModelFacts:
    """Check what a side-car says, key by key.

    Parameters
    ----------
    raw : Any
        Parsed JSON.
    where : str
        The file, for messages.

    Raises
    ------
    FercleanError
        If a key is missing, unknown or has a value that cannot be.
    """
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise FercleanError(f"{where} does not describe a ferclean model (format {FORMAT})")
    rest = {key: value for key, value in raw.items() if key not in ("format", *_FOR_OTHERS)}
    try:
        parts = {key: rest.pop(key) for key in ("preprocessing", "backbone", "method", "training")}
        numbers = build(_Numbers, rest, "model")
        if set(rest) != {each.name for each in dataclasses.fields(_Numbers)}:
            raise FercleanError("classes, networks, epochs and warm_up_epochs must be there")
        method, settings = _method(parts["method"])
        facts = ModelFacts(
            preprocessing=_preprocessing(parts["preprocessing"]),
            backbone=build(ModelSettings, parts["backbone"], "backbone"),
            method=method,
            settings=settings,
            training=parts["training"] if isinstance(parts["training"], dict) else {},
            **vars(numbers),
        )
        _check(facts)
    except KeyError as error:
        raise FercleanError(f"{where}: key {error} is missing") from None
    except FercleanError as error:
        raise FercleanError(f"{where}: {error}") from None
    return facts


def _preprocessing(raw: Any) -> Preprocessing:
    """Check the template against size and margin: it is what other programs align by."""
    if not isinstance(raw, dict):
        raise FercleanError(f"preprocessing must be a mapping of keys, found {raw!r}")
    known = {each.name for each in dataclasses.fields(Preprocessing)}
    told = {key: value for key, value in raw.items() if key not in ("pixels", "template")}
    if absent := known - set(told):
        raise FercleanError(f"preprocessing.{min(absent)} is missing")
    found = build(Preprocessing, told, "preprocessing")
    points = found.as_dict()["template"]
    if raw.get("template", points) != points:
        raise FercleanError("preprocessing.template is not that of its size and margin")
    return found


def _method(raw: Any) -> tuple[str, Any]:
    if not isinstance(raw, dict) or set(raw) != {"name", "settings"}:
        raise FercleanError("method must hold name and settings")
    name = raw["name"]
    if name not in METHOD_NAMES:
        raise unknown_name("method", name, METHOD_NAMES)
    return name, build(MethodsSettings, {name: raw["settings"]}, "methods").of(name)


def _check(facts: ModelFacts) -> None:
    if len(set(facts.classes)) != len(facts.classes) or len(facts.classes) < 2:
        raise FercleanError("classes must hold at least two different names")
    channels = facts.preprocessing.channels
    if channels not in _COLOURS:
        raise FercleanError(f"preprocessing.channels must be 1 or 3, found {channels}")
    for name in ("normalise_mean", "normalise_scale"):
        if len(getattr(facts.preprocessing, name)) not in (1, channels):
            raise FercleanError(f"preprocessing.{name} must hold one number or one a channel")


def _plain(settings: Any) -> dict[str, Any]:
    """Return the settings as JSON would give them back."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    return values
