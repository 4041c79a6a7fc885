"""What a method is: a recipe that answers five questions about an epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import special
from torch import nn

from ferclean.config.training import TrainingSettings
from ferclean.relabel.decision import Relabelling
from ferclean.tables.partitions import Partition
from ferclean.train.observe import Observation
from ferclean.train.passes import Objective, Pass, Stream

Split = tuple[Partition, Relabelling]


@dataclass(frozen=True)
class Context:
    """The run that a recipe works in.

    Attributes
    ----------
    observed : numpy.ndarray
        ``(N,)`` int64 observed labels of the training rows.
    classes : int
        K.
    seed : int
        Seed of the run.
    training : TrainingSettings
        The shared trainer's settings.
    device : torch.device
        Where training runs.
    side : mapping of str to numpy.ndarray
        What the method's further files say, by the names of
        :data:`ferclean.config.side_inputs.SIDE_INPUTS`; and, where the label table has columns of
        single annotators, ``annotations``, ``(N, A)`` int64, -1 where one gave no label.
    """

    observed: np.ndarray
    classes: int
    seed: int
    training: TrainingSettings
    device: torch.device
    side: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def rows(self) -> np.ndarray:
        """All training rows, ``(N,)`` int64."""
        return np.arange(len(self.observed))

    @cached_property
    def targets(self) -> torch.Tensor:
        """The observed labels on the training device, ``(N,)`` int64."""
        return torch.from_numpy(self.observed).to(self.device)


class Recipe(ABC):
    """A published system (or a control) as a composition of the shared parts.

    A recipe holds its settings and no state: what it must remember of the training rows goes
    through `remember` into the checkpoint.

    Parameters
    ----------
    settings : object
        The method's settings dataclass.

    Attributes
    ----------
    networks : int
        Number of networks; a recipe whose settings decide it sets it in its constructor.
    score_name : str
        What the partition's score measures, for figures.
    outputs : tuple of str
        What the partition looks at beside the logits, see :meth:`Network.outputs`.
    learning_rate_factors : dict of str to float
        Factors of the parameters whose name starts so.
    predict_memory : tuple of str
        What `predict` reads of the memory: it goes with the weights into an exported model.
    """

    networks: int = 1
    score_name: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]] = ()
    learning_rate_factors: ClassVar[dict[str, float]] = {}
    predict_memory: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def heads(self, feature_dim: int, context: Context) -> dict[str, nn.Module]:
        """Build the modules of a run that each network has beside backbone and classifier.

        One called ``classifier`` takes the place of the linear layer from features to logits.
        """
        return {}

    def start_memory(self, context: Context) -> dict[str, np.ndarray]:
        """Return the per-row memory before the first epoch, arrays of any shape."""
        return {}

    @abstractmethod
    def warm_up(self, context: Context) -> list[Pass]:
        """Return the passes of one warm-up epoch."""

    @abstractmethod
    def partition(
        self, seen: Observation, context: Context, memory: Mapping[str, np.ndarray]
    ) -> Partition:
        """Say how likely each observed label is right.

        Parameters
        ----------
        seen : Observation
            Logits and `outputs` of the un-augmented training pictures in eval mode.
        context : Context
        memory : mapping
            What `start_memory`, `remember` and the objectives left.

        Returns
        -------
        Partition
        """

    @abstractmethod
    def relabel(self, partition: Partition, observed: np.ndarray) -> Relabelling:
        """Turn the partition's evidence into a label distribution and an action a row."""

    @abstractmethod
    def epoch(self, number: int, context: Context, split: Split | None) -> list[Pass]:
        """Return the passes of one epoch after warm-up.

        Parameters
        ----------
        number : int
            Epochs since the start of warm-up.
        context : Context
        split : (Partition, Relabelling) or None
            ``None`` when `needs_partition` said that this epoch looks at none.
        """

    def needs_partition(self, number: int, context: Context) -> bool:
        """Whether this epoch (counted from the warm-up's start) looks at a partition."""
        return True

    def remember(
        self, memory: Mapping[str, np.ndarray], partition: Partition
    ) -> dict[str, np.ndarray]:
        """Return the per-row memory after a partition was used for an epoch."""
        return dict(memory)

    def predict(self, seen: Observation, memory: Mapping[str, np.ndarray]) -> np.ndarray:
        """Combine what the networks say into class probabilities ``(N, K)``.

        The default is the softmax of the mean logits: the same class as DivideMix's sum, and a
        confidence that can be compared with one network's.

        Parameters
        ----------
        seen : Observation
            Of any pictures.
        memory : mapping
            What the run remembers, of the training rows or as a whole.
        """
        return softmax(seen.logits.mean(axis=0))

    def combine(
        self,
        logits: torch.Tensor,
        outputs: Mapping[str, torch.Tensor],
        memory: Mapping[str, np.ndarray],
        *,
        past_warm_up: bool,
    ) -> torch.Tensor:
        """Return what `predict` returns, as tensors that can be exported as a graph.

        Parameters
        ----------
        logits : torch.Tensor
            ``(M, N, K)`` float32.
        outputs : mapping of str to torch.Tensor
            ``(M, N, ...)`` of each of `outputs`.
        memory : mapping
            Constants of the graph, those of `predict_memory`.
        past_warm_up : bool
            Whether the networks were trained beyond the warm-up.

        Returns
        -------
        torch.Tensor
            ``(N, K)`` float32.
        """
        return torch.softmax(logits.mean(dim=0), dim=-1)

    def uncertainty(self, seen: Observation) -> dict[str, np.ndarray]:
        """Return what the method knows of its own doubt, ``(N,)`` float32 each, by name."""
        return {}


def required(split: Split | None) -> Split:
    """Return the split of an epoch that cannot do without one.

    Raises
    ------
    ValueError
        If there is none, although :meth:`Recipe.needs_partition` did not say so.
    """
    if split is None:
        raise ValueError("this method looks at a partition in every epoch after warm-up")
    return split


def pass_over_all(
    context: Context,
    kind: str,
    objective: Objective,
    *,
    networks: tuple[int, ...] = (0,),
    views: int = 1,
    strong_views: int = 0,
) -> Pass:
    """Return a pass over all training rows, which the objective finds in the batch ``"all"``.

    Parameters
    ----------
    context : Context
        Its rows are walked through once, ``training.batch_size`` a step.
    kind : str
        Name for the history.
    objective : callable
        Turns a step into loss terms, see :class:`~ferclean.train.passes.Pass`.
    networks : tuple of int
        Numbers from 0 of the networks that are trained.
    views, strong_views : int
        Augmented and strongly augmented copies of every picture, from 0.

    Returns
    -------
    Pass
    """
    stream = Stream("all", context.rows, context.training.batch_size, views, strong_views)
    return Pass(kind, networks, (stream,), objective)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis, float32, computed in float64."""
    return special.softmax(logits.astype(np.float64), axis=-1).astype(np.float32)
