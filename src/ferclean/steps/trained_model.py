"""A trained model, free of its training rows: from a checkpoint or an exported file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ferclean.config.methods import MethodsSettings
from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.methods.base import Context, Recipe, softmax
from ferclean.methods.registry import build_recipe
from ferclean.models.network import Network
from ferclean.models.registry import build_network
from ferclean.predict.doubt import doubts
from ferclean.predict.facts import ModelFacts
from ferclean.train.observe import observe
from ferclean.train.pictures import Pictures


@dataclass(frozen=True)
class TrainedModel:
    """Networks and the recipe that reads them.

    Attributes
    ----------
    facts : ModelFacts
    recipe : Recipe
    networks : list of Network
        In eval mode; with no other heads than those that a prediction reads.
    memory : dict of str to numpy.ndarray
        What the recipe reads beside them.
    """

    facts: ModelFacts
    recipe: Recipe
    networks: list[Network]
    memory: dict[str, np.ndarray]

    @cached_property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.networks[0].parameters()).device

    @cached_property
    def trainer(self) -> TrainingSettings:
        """Return what decides how pictures become input, always in full precision."""
        facts = self.facts
        return TrainingSettings(
            warm_up_epochs=facts.warm_up_epochs,
            normalise_mean=facts.preprocessing.normalise_mean,
            normalise_scale=facts.preprocessing.normalise_scale,
            precision="float32",
            cpu_threads=torch.get_num_threads(),
        )

    def predict(self, faces: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return what the model says of aligned faces.

        Parameters
        ----------
        faces : numpy.ndarray
            ``(N, H, W, C)`` uint8 of the model's size and channels, N at least 1.

        Returns
        -------
        probabilities : numpy.ndarray
            ``(N, K)`` float32 in the model's class order, rows sum to 1.
        uncertainty : dict of str to numpy.ndarray
            ``(N,)`` each, see :func:`ferclean.predict.doubt.doubts`.
        """
        pictures = Pictures(faces, np.arange(len(faces)), device=self.device, settings=self.trainer)
        seen = observe(
            self.networks,
            pictures,
            self.trainer,
            outputs=self.recipe.outputs,
            epoch=self.facts.epochs,
        )
        said = self.recipe.predict(seen, self.memory)
        return said, doubts(softmax(seen.logits), said, self.recipe.uncertainty(seen))


def build_model(
    facts: ModelFacts,
    weights: Sequence[Mapping[str, torch.Tensor]],
    memory: Mapping[str, np.ndarray],
    *,
    device: torch.device,
    where: str,
) -> TrainedModel:
    """Put weights into networks, strictly.

    Parameters
    ----------
    facts : ModelFacts
    weights : sequence of mapping of str to torch.Tensor
        Of each network; those of heads that a prediction does not read are left out.
    memory : mapping of str to numpy.ndarray
        Holds at least what the recipe's prediction reads.
    device : torch.device
    where : str
        The file, for messages.

    Raises
    ------
    FercleanError
        If a weight is missing, unknown or of another shape, or the networks are not as many.
    """
    recipe = build_recipe(facts.method, MethodsSettings(**{facts.method: facts.settings}))
    if not len(weights) == facts.networks == recipe.networks:
        raise FercleanError(
            f"{where}: {facts.method} has {recipe.networks} networks by its settings, "
            f"found {len(weights)}"
        )
    if absent := set(recipe.predict_memory) - set(memory):
        raise FercleanError(
            f"{where} lacks {min(absent)!r}, which {facts.method} predicts with: another version "
            "of ferclean made it; train the model again"
        )
    networks = [_empty_network(facts, recipe) for _ in weights]
    for number, (network, given) in enumerate(zip(networks, weights, strict=True)):
        _fill(network, given, f"{where}: network {number}")
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.eval().requires_grad_(False)
    kept = {name: memory[name] for name in recipe.predict_memory}
    return TrainedModel(facts, recipe, networks, kept)


def _empty_network(facts: ModelFacts, recipe: Recipe) -> Network:
    # No training row: heads are sized by classes, and those that are not (one an annotator) are
    # not read by any prediction.
    context = Context(
        observed=np.zeros(0, dtype=np.int64),
        classes=len(facts.classes),
        seed=0,
        training=TrainingSettings(),
        device=torch.device("cpu"),
        side={"annotations": np.zeros((0, 1), dtype=np.int64)},
    )
    read = ("classifier", *recipe.outputs)
    return build_network(
        facts.backbone,
        classes=len(facts.classes),
        channels=facts.preprocessing.channels,
        image_size=facts.preprocessing.size,
        seed=0,
        heads=lambda width: {k: v for k, v in recipe.heads(width, context).items() if k in read},
    )


def _fill(network: Network, given: Mapping[str, torch.Tensor], where: str) -> None:
    wanted = network.state_dict()
    unread = [name for name in given if name.startswith("heads.") and name not in wanted]
    found = {name: tensor for name, tensor in given.items() if name not in unread}
    if absent := sorted(set(wanted) - set(found)):
        raise FercleanError(f"{where} lacks the weight {absent[0]!r}")
    if unknown := sorted(set(found) - set(wanted)):
        raise FercleanError(f"{where} holds the weight {unknown[0]!r}, which this model has not")
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            raise FercleanError(
                f"{where}: weight {name!r} is {tuple(found[name].shape)}, "
                f"but this model's is {tuple(tensor.shape)}"
            )
    network.load_state_dict(found, strict=True)
