"""A model as an ONNX graph: from the bytes of aligned faces to probabilities."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ferclean.errors import FercleanError
from ferclean.steps.trained_model import TrainedModel
from ferclean.train.augment import normalise

INPUT, OUTPUT = "faces", "probabilities"
# What every ONNX Runtime since 1.15 (2023) reads.
_OPSET = 18
_DOCUMENT = (
    "Input faces: uint8 (batch, height, width, channels), aligned as metadata 'ferclean' says "
    "under preprocessing (five landmarks onto the template by a similarity transform; grey is "
    "BT.601 luma). The graph scales pixels itself. Output probabilities: float32 (batch, classes) "
    "in the order of metadata 'classes'. Labels are perceived expressions, not feelings."
)


class _Graph(nn.Module):
    """Normalisation, networks and the recipe's way to combine them."""

    mean: Tensor
    scale: Tensor

    def __init__(self, model: TrainedModel) -> None:
        super().__init__()
        self._model = model
        self.networks = nn.ModuleList(model.networks)
        values = model.facts.preprocessing
        self.register_buffer("mean", torch.tensor(values.normalise_mean).view(-1, 1, 1))
        self.register_buffer("scale", torch.tensor(values.normalise_scale).view(-1, 1, 1))

    def forward(self, faces: Tensor) -> Tensor:
        """Return ``(N, K)`` of ``(N, H, W, C)`` uint8."""
        model = self._model
        pixels = faces.permute(0, 3, 1, 2).to(torch.float32)
        pictures = normalise(pixels, mean=self.mean, scale=self.scale)
        names = model.recipe.outputs
        said = [network.outputs(pictures, names) for network in model.networks]
        stacked = {name: torch.stack([each[name] for each in said]) for name in ("logits", *names)}
        return model.recipe.combine(
            stacked.pop("logits"),
            stacked,
            model.memory,
            past_warm_up=model.facts.epochs > model.facts.warm_up_epochs,
        )


def write_graph(model: TrainedModel, description: Mapping[str, Any], path: Path) -> None:
    """Write a model as ONNX, with any number of faces a call.

    Parameters
    ----------
    model : TrainedModel
        On the CPU.
    description : mapping
        The side-car; stands as JSON under ``ferclean`` in the file's metadata, its classes alone
        under ``classes``.
    path : Path
        The file.

    Raises
    ------
    FercleanError
        If a package is missing.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401  # torch.onnx asks for it
    except ModuleNotFoundError as error:
        raise FercleanError(
            f"--onnx needs the package {error.name}: install ferclean[export]"
        ) from None
    values = model.facts.preprocessing
    # Two faces: with one, the tracer would take the number of faces for a constant.
    example = torch.zeros((2, values.size, values.size, values.channels), dtype=torch.uint8)
    program = _traced(_Graph(model).eval(), example)
    graph = program.model_proto
    graph.doc_string = _DOCUMENT
    onnx.helper.set_model_props(
        graph,
        {
            "classes": json.dumps(list(model.facts.classes), ensure_ascii=False),
            "ferclean": json.dumps(dict(description), ensure_ascii=False),
        },
    )
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _traced(graph: nn.Module, example: Tensor) -> Any:
    """Trace without the exporter's chatter."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.onnx.export(
                graph,
                (example,),
                dynamo=True,
                verbose=False,
                opset_version=_OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
    finally:
        log.setLevel(level)
