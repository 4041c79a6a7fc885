import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from ferclean.config.methods.la_net import LaNetSettings
from ferclean.errors import FercleanError
from ferclean.methods.la_net import LaNet, estimate_distribution
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES = 3


class Uneven(nn.Module):
    """Weight of j for i: 1 + (i + 2 j) mod 5."""

    def forward(self, vectors):
        i = torch.arange(len(vectors))
        return 1.0 + (i[:, None] + 2 * i[None]) % 5


@pytest.fixture
def context():
    random = np.random.default_rng(0)
    landmarks = random.normal(size=(40, 10)).astype(np.float32)
    return make_context(random.integers(CLASSES, size=40), CLASSES, landmarks=landmarks)


def one_step(recipe, context, rows):
    (work,) = recipe.epoch(5, context, None)
    network = make_network(recipe, CLASSES).eval()
    memory = {k: torch.from_numpy(v) for k, v in recipe.start_memory(context).items()}
    step = make_step(work, [network], {"all": rows}, memory)
    return network, step, work.objective(step)


def test_the_codes_constants_are_the_defaults():
    own = LaNetSettings()
    assert (own.neighbours, own.momentum, own.divergence_weight) == (8, 0.9, 1.0)
    assert own.second_space == "landmarks"


@pytest.mark.parametrize("rows", [2, 3, 12])
def test_an_estimate_is_the_neighbours_weighted_mean_prediction(rows):
    generator = torch.Generator().manual_seed(0)
    logits, vectors = (torch.randn(rows, n, generator=generator) for n in (CLASSES, 4))
    found = estimate_distribution(logits, vectors, Uneven(), 3)
    p, unit = logits.softmax(1), functional.normalize(vectors)
    for i in range(rows):
        others = sorted((j for j in range(rows) if j != i), key=lambda j: -float(unit[i] @ unit[j]))
        weights = {j: 1 + (i + 2 * j) % 5 for j in others[:3]}
        expected = sum(w * p[j] for j, w in weights.items()) / sum(weights.values())
        torch.testing.assert_close(found[i], expected)


def test_a_row_alone_in_its_batch_is_its_own_neighbour():
    logits = torch.tensor([[1.0, 2.0, 0.5]])
    torch.testing.assert_close(
        estimate_distribution(logits, torch.ones(1, 4), Uneven(), 8), logits.softmax(1)
    )


@pytest.mark.parametrize("second_space", ["landmarks", "none"])
@pytest.mark.parametrize("divergence", ["of_prediction", "of_target"])
def test_target_is_the_running_distribution_moved_towards_the_spaces_mean_estimate(
    context, second_space, divergence
):
    recipe = LaNet(
        LaNetSettings(second_space=second_space, divergence=divergence, neighbours=2, momentum=0.8)
    )
    rows = [30, 4, 17, 9, 22, 11]
    network, step, (entropy, pull) = one_step(recipe, context, rows)
    seen = network.outputs(step.batches["all"].views[0], ("features",))
    estimates = [
        estimate_distribution(
            seen["logits"], seen["features"], network.heads["expression_pairs"], 2
        )
    ]
    if second_space == "landmarks":
        places = torch.from_numpy(context.side["landmarks"][rows])
        estimates.append(
            estimate_distribution(seen["logits"], places, network.heads["landmark_pairs"], 2)
        )
    start = torch.eye(CLASSES)[context.targets]
    target = 0.8 * start[rows] + 0.2 * torch.stack(estimates).mean(0)
    bank = step.memory["label_distribution"]
    torch.testing.assert_close(bank[rows], target.detach())
    untouched = np.setdiff1d(np.arange(40), rows)
    assert torch.equal(bank[untouched], start[untouched]) and not bank.requires_grad
    log_p = seen["logits"].log_softmax(1)
    pairs = (target.log(), log_p.exp()) if divergence == "of_prediction" else (log_p, target)
    torch.testing.assert_close(
        pull.values, functional.kl_div(*pairs, reduction="none").sum(1), atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(
        entropy.values,
        functional.cross_entropy(seen["logits"], context.targets[rows], reduction="none"),
    )


def test_the_divergence_trains_the_pair_weights_of_both_spaces(context):
    network, _, terms = one_step(LaNet(LaNetSettings(neighbours=3)), context, list(range(12)))
    terms[1].values.sum().backward()
    for name in ("expression_pairs", "landmark_pairs"):
        assert any(p.grad.abs().sum() > 0 for p in network.heads[name].parameters())


def test_pair_weights_tell_who_learns_from_whom(context):
    network = make_network(LaNet(LaNetSettings()), CLASSES)
    vectors = torch.randn(5, 10, generator=torch.Generator().manual_seed(0))
    pairs = network.heads["landmark_pairs"]
    weights = pairs(vectors)
    assert weights.shape == (5, 5) and ((weights > 0) & (weights < 1)).all()
    assert not torch.allclose(weights, weights.T)
    alone = pairs(vectors[[1, 3]])
    torch.testing.assert_close(alone, weights[[1, 3]][:, [1, 3]])


def test_partition_and_relabelling_read_the_running_distributions(context):
    recipe = LaNet(LaNetSettings())
    logits = np.zeros((1, 40, CLASSES), dtype=np.float32)
    start = recipe.start_memory(context)
    found = recipe.partition(Observation(logits), context, start)
    assert (found.clean_probability == 1).all()
    bank = start["label_distribution"].copy()
    moved = (context.observed[3] + 1) % CLASSES
    bank[3] = 0.2
    bank[3, moved] = 0.6
    found = recipe.partition(Observation(logits), context, {"label_distribution": bank})
    relabelled = recipe.relabel(found, context.observed)
    assert relabelled.label[3] == moved and relabelled.action[3] == "relabel"
    assert found.clean_probability[0, 3] <= found.threshold
    kept = np.arange(40) != 3
    assert (relabelled.action[kept] == "keep").all()


def test_faces_without_landmarks_are_told_the_way_out(context):
    blind = dataclasses.replace(context, side={"landmarks": np.full((40, 10), np.nan)})
    with pytest.raises(FercleanError, match=r"40 of 40 .* set methods.la_net.second_space to none"):
        LaNet(LaNetSettings()).start_memory(blind)
    recipe = LaNet(LaNetSettings(second_space="none"))
    assert list(recipe.heads(6, blind)) == ["expression_pairs"]
    one_step(recipe, blind, [0, 1, 2])


def test_warm_up_is_like_every_epoch_and_none_looks_at_a_partition(context):
    recipe = LaNet(LaNetSettings())
    for (work,) in (recipe.warm_up(context), recipe.epoch(7, context, None)):
        assert work.kind == "label_distribution" and len(work.streams[0].rows) == 40
    assert not recipe.needs_partition(5, context)
