"""A recipe's graph for export says what its prediction says."""

import numpy as np
import pytest
import torch

from ferclean.config.methods import METHOD_NAMES, MethodsSettings
from ferclean.config.methods.ferclean import FercleanSettings
from ferclean.config.methods.resup import ResupSettings
from ferclean.config.methods.sampling_softmax import SamplingSoftmaxSettings
from ferclean.methods.base import Recipe
from ferclean.methods.ferclean import Ferclean
from ferclean.methods.registry import build_recipe
from ferclean.methods.resup import Resup
from ferclean.methods.sampling_softmax import SamplingSoftmax
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context

ROWS, CLASSES = 40, 5


def check(recipe: Recipe, memory: dict, *, epoch: int = 9, warm_up: int = 2) -> np.ndarray:
    """Compare both ways, with no more of the memory than the recipe names; return the numbers."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (recipe.networks, ROWS, CLASSES)).astype(np.float32)
    # Positive: a scale of logits, an importance.
    outputs = {
        name: random.uniform(0.1, 2, (recipe.networks, ROWS, 1)).astype(np.float32)
        * np.ones(CLASSES if name == "scale" else 1, dtype=np.float32)
        for name in recipe.outputs
    }
    kept = {name: memory[name] for name in recipe.predict_memory}
    said = recipe.predict(Observation(logits, outputs, epoch, warm_up), kept)
    tensors = {name: torch.from_numpy(values) for name, values in outputs.items()}
    graph = recipe.combine(torch.from_numpy(logits), tensors, kept, past_warm_up=epoch > warm_up)
    assert graph.dtype == torch.float32
    np.testing.assert_allclose(graph.numpy(), said, atol=2e-6)
    return said


@pytest.mark.parametrize("epoch", [1, 9])
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_the_graph_equals_the_prediction_for_every_method(method, epoch):
    recipe = build_recipe(method, MethodsSettings())
    landmarks = np.random.default_rng(1).normal(size=(ROWS, 10)).astype(np.float32)
    context = make_context(np.arange(ROWS) % CLASSES, CLASSES, landmarks=landmarks)
    memory = recipe.start_memory(context)
    said = check(recipe, memory, epoch=epoch)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


def test_it_does_where_ferclean_translates():
    random = np.random.default_rng(0)
    meaning = random.dirichlet(np.ones(CLASSES), size=CLASSES)
    memory = {
        "measures": np.array([0.9, 0.8, 0.5]),
        "label_meaning": meaning,
        "temperature": np.array([1.7]),
        "directed": np.array([0.8]),
    }
    translated = check(Ferclean(FercleanSettings()), memory)
    plain = check(Ferclean(FercleanSettings(translate=False)), memory)
    assert np.abs(translated - plain).max() > 0.05


def test_it_does_for_the_other_settings_that_change_a_prediction():
    first = check(Resup(ResupSettings(test_network="first")), {})
    assert np.abs(first - check(Resup(ResupSettings(test_network="mean")), {})).max() > 0.05
    for split in ("information", "gaussian_logits"):
        check(SamplingSoftmax(SamplingSoftmaxSettings(split=split)), {})
