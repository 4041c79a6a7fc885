import dataclasses

import numpy as np
import pytest
import torch

from ferclean.config.methods.ltnet import LtnetSettings
from ferclean.config.training import ModelSettings, OptimizerSettings
from ferclean.errors import FercleanError
from ferclean.losses.transition import forward_cross_entropy, mixture_cross_entropy
from ferclean.methods.ltnet import Ltnet
from ferclean.models.registry import build_network
from ferclean.train.observe import Observation
from ferclean.train.schedule import build_optimizer, set_learning_rate
from fixtures.recipe_steps import make_context, make_step

OBSERVED = np.arange(12) % 3
GIVEN = np.random.default_rng(0).integers(-1, 3, size=(12, 2))


def context_with(annotations):
    context = make_context(OBSERVED, 3)
    side = {} if annotations is None else {"annotations": annotations}
    return dataclasses.replace(context, side=side)


def network_of(recipe, context):
    model = ModelSettings(name="tiny48", dropout=0.0)
    return build_network(
        model,
        classes=3,
        channels=1,
        image_size=24,
        seed=0,
        heads=lambda feature_dim: recipe.heads(feature_dim, context),
    ).eval()


@pytest.mark.parametrize(
    ("chosen", "annotations", "expected"),
    [
        ("all", None, OBSERVED[:, None]),
        ("all", GIVEN, np.column_stack([OBSERVED, GIVEN])),
        ("table", GIVEN, GIVEN),
        ("observed", GIVEN, OBSERVED[:, None]),
    ],
)
def test_whose_labels_are_explained(chosen, annotations, expected):
    recipe, context = Ltnet(LtnetSettings(annotators=chosen)), context_with(annotations)
    np.testing.assert_array_equal(recipe.labels(context), expected)
    matrices = network_of(recipe, context).heads["transitions"]()
    assert matrices.shape == (expected.shape[1], 3, 3)


def test_annotators_that_are_not_there_are_an_error():
    recipe = Ltnet(LtnetSettings(annotators="table"))
    with pytest.raises(FercleanError, match=r"their columns in data\.annotators, or set"):
        recipe.labels(context_with(None))


def test_warm_up_is_the_mixture_and_later_epochs_go_through_the_matrices():
    recipe, context, rows = Ltnet(LtnetSettings()), context_with(GIVEN), [7, 0, 3]
    network = network_of(recipe, context)
    start = network.heads["transitions"].matrices.data
    start.copy_(torch.rand(start.shape, generator=torch.Generator().manual_seed(1)))
    labels = torch.from_numpy(recipe.labels(context)[rows])
    (warm_up,), (later,) = recipe.warm_up(context), recipe.epoch(6, context, None)
    for work in (warm_up, later):
        step = make_step(work, [network], {"all": rows})
        (term,) = work.objective(step)
        logits = network(step.batches["all"].views[0])
        if work is warm_up:
            expected = mixture_cross_entropy(logits, labels)
        else:
            expected = forward_cross_entropy(logits, network.heads["transitions"](), labels)
        torch.testing.assert_close(term.values, expected)
        np.testing.assert_array_equal(work.streams[0].rows, context.rows)
    term.values.sum().backward()
    assert network.heads["transitions"].matrices.grad.abs().sum() > 0
    assert not recipe.needs_partition(6, context)


def test_the_matrices_alone_learn_at_a_tenth_of_the_rate():
    recipe = Ltnet(LtnetSettings())
    network = network_of(recipe, context_with(GIVEN))
    optimizer = build_optimizer(network, OptimizerSettings(), recipe.learning_rate_factors)
    set_learning_rate(optimizer, 0.5)
    slow = {id(p) for p in network.heads["transitions"].parameters()}
    assert slow
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            assert group["lr"] == pytest.approx(0.05 if id(parameter) in slow else 0.5)


def test_the_latent_class_judges_the_observed_labels():
    logits = np.zeros((1, 12, 3), dtype=np.float32)
    logits[0, np.arange(12), OBSERVED] = 4.0
    logits[0, 5] = [9.0, 0.0, 0.0]  # observed 2
    recipe, context = Ltnet(LtnetSettings()), context_with(GIVEN)
    found = recipe.partition(Observation(logits), context, {})
    assert np.flatnonzero(found.clean_probability[0] <= found.threshold).tolist() == [5]
    np.testing.assert_array_equal(found.probabilities[0], recipe.predict(Observation(logits), {}))


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize(
    ("optimizer_of", "rate"), [(torch.optim.SGD, 0.2), (torch.optim.AdamW, 0.01)]
)
def test_a_systematic_annotator_is_found_out(share, optimizer_of, rate):
    """Two annotators are right, the third calls a share of class 0 class 1."""
    random, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    true = random.integers(3, size=900)
    third = np.where((true == 0) & (random.random(900) < share), 1, true)
    labels = torch.from_numpy(np.column_stack([true, true, third]))
    points = torch.eye(3)[true] + 0.1 * torch.randn(900, 3, generator=generator)
    linear = torch.nn.Linear(3, 3)
    torch.nn.init.normal_(linear.weight, generator=generator)
    torch.nn.init.zeros_(linear.bias)
    recipe = Ltnet(LtnetSettings(annotators="table"))
    matrices = recipe.heads(3, context_with(GIVEN[:, [0, 1, 1]]))["transitions"]
    optimizer = optimizer_of([*linear.parameters(), *matrices.parameters()], lr=rate)
    for _ in range(400):
        optimizer.zero_grad()
        forward_cross_entropy(linear(points), matrices(), labels).mean().backward()
        optimizer.step()
    found = matrices().detach()
    given = (third[true == 0] == 1).mean()
    assert abs(found[2, 0, 1] - given) < 0.03 and found[2, 1, 1] > 0.97
    assert (found[:2].diagonal(dim1=1, dim2=2) > 0.97).all()
