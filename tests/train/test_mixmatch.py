"""MixMatch against DivideMix's algorithm written out row by row."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from ferclean.train.mixmatch import MixMatch
from ferclean.train.mixup import draw_coefficient, draw_partners
from ferclean.train.passes import Batch, Step

CLASSES, ROWS = 3, 4
OBSERVED = torch.tensor([2, 0, 1, 2, 0, 1, 1, 0])
CLEAN = torch.tensor([0.9, 0.7, 0.95, 0.6, 0.1, 0.2, 0.3, 0.4])


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, CLASSES))


def objective(**changes):
    keys = dict(
        network=0,
        peer=1,
        observed=OBSERVED,
        clean_probability=CLEAN,
        classes=CLASSES,
        alpha=4.0,
        temperature=0.5,
        unlabelled_weight=25.0,
        ramp_up_start=10,
        ramp_up_epochs=16.0,
    )
    return MixMatch(**{**keys, **changes})


def make_step(networks, *, unlabelled=True, epoch=18.0):
    generator = torch.Generator().manual_seed(3)
    views = [torch.randn(ROWS, 1, 2, 2, generator=generator) for _ in range(4)]
    batches = {"labelled": Batch(torch.arange(4), tuple(views[:2]))}
    if unlabelled:
        batches["unlabelled"] = Batch(torch.arange(4, 8), tuple(views[2:]))
    step = Step(
        batches, networks, epoch, np.random.default_rng(5), torch.Generator().manual_seed(5)
    )
    return step, views


def softmax(net, picture):
    return torch.softmax(net(picture[None]), dim=1)[0]


def naive_terms(networks, views, alpha, temperature):
    """DivideMix, section 3.1 of the specification, one row at a time."""

    def sharpened(p):
        return p ** (1 / temperature) / (p ** (1 / temperature)).sum()

    net, peer = networks
    targets = {0: [], 1: [], 2: [], 3: []}
    for i in range(ROWS):
        mean = (softmax(net, views[0][i]) + softmax(net, views[1][i])) / 2
        label = torch.eye(CLASSES)[OBSERVED[i]]
        refined = sharpened(CLEAN[i] * label + (1 - CLEAN[i]) * mean)
        guess = sum(softmax(n, views[v][i]) for n in (net, peer) for v in (2, 3)) / 4
        for view, target in enumerate([refined, refined, sharpened(guess), sharpened(guess)]):
            targets[view].append(target)
    inputs = torch.cat(views)
    wanted = torch.stack([t for view in range(4) for t in targets[view]])
    coefficient = draw_coefficient(alpha, np.random.default_rng(5))
    partners = draw_partners(16, torch.Generator().manual_seed(5))
    labelled, unlabelled, predictions = [], [], []
    for i, j in enumerate(partners.tolist()):
        mixed = coefficient * inputs[i] + (1 - coefficient) * inputs[j]
        target = coefficient * wanted[i] + (1 - coefficient) * wanted[j]
        p = softmax(net, mixed)
        predictions.append(p)
        if i < 2 * ROWS:
            labelled.append(-(target * p.log()).sum())
        else:
            unlabelled.append(((p - target) ** 2).mean())
    mean = torch.stack(predictions).mean(dim=0)
    prior = sum((1 / CLASSES) * torch.log((1 / CLASSES) / q) for q in mean)
    return torch.stack(labelled), torch.stack(unlabelled), prior


@pytest.mark.parametrize(("alpha", "temperature"), [(4.0, 0.5), (0.75, 0.9)])
def test_terms_equal_the_algorithm_row_by_row(alpha, temperature):
    networks = [network(0), network(1)]
    step, views = make_step(networks)
    made = objective(alpha=alpha, temperature=temperature)
    terms = {term.name: term for term in made(step)}
    labelled, unlabelled, prior = naive_terms(networks, views, alpha, temperature)
    assert torch.allclose(terms["labelled"].values, labelled, atol=1e-5)
    assert torch.allclose(terms["unlabelled"].values, unlabelled, atol=1e-5)
    assert terms["prior"].values.item() == pytest.approx(prior.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("epoch", "ramp"), [(3.0, 0.0), (10.0, 0.0), (10.5, 1 / 32), (18.0, 0.5), (26.0, 1.0), (90, 1)]
)
def test_the_loss_is_the_labelled_one_the_prior_and_the_ramped_unlabelled_one(epoch, ramp):
    """``L_x + L_reg + lambda_u clip((e - 10) / 16, 0, 1) L_u``."""
    step, _ = make_step([network(0), network(1)], epoch=epoch)
    weights = {term.name: term.weight for term in objective()(step)}
    assert weights == pytest.approx({"labelled": 1.0, "prior": 1.0, "unlabelled": 25 * ramp})


def test_weight_ramps_up_from_the_end_of_warm_up():
    ramped = objective().ramped_weight
    assert [ramped(e) for e in (0, 10, 18, 26, 300)] == pytest.approx([0, 0, 12.5, 25, 25])
    assert all(a <= b for a, b in pairwise(ramped(e / 4) for e in range(120)))


def test_unlabelled_rows_still_mix_when_their_loss_weighs_nothing():
    networks = [network(0), network(1)]
    first, _ = make_step(networks)
    second, views = make_step(networks)
    second.batches["unlabelled"] = Batch(torch.arange(4, 8), tuple(v + 1 for v in views[2:]))
    a, b = (objective(unlabelled_weight=0.0)(step)[0].values for step in (first, second))
    assert not torch.allclose(a, b)


def test_an_empty_noisy_side_leaves_the_labelled_loss():
    step, _ = make_step([network(0), network(1)], unlabelled=False)
    terms = objective()(step)
    assert [term.name for term in terms] == ["labelled", "prior"]
    assert terms[0].values.shape == (2 * ROWS,)


def test_only_the_trained_network_gets_gradients_and_none_flow_through_targets():
    networks = [network(0), network(1)]
    step, _ = make_step(networks)
    sum(term.values.mean() * term.weight for term in objective()(step)).backward()
    assert all(p.grad is not None for p in networks[0].parameters())
    assert all(p.grad is None for p in networks[1].parameters())


def test_weights_get_gradients_in_mixed_precision_though_targets_are_guessed_without():
    networks = [network(0), network(1)]
    step, _ = make_step(networks)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = objective()(step)
    sum(term.values.mean() for term in terms).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in networks[0].parameters())


def test_guessing_uses_batch_statistics_of_the_trained_network_only():
    networks = [
        nn.Sequential(nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, CLASSES))
        for _ in range(2)
    ]
    networks[0].train()
    networks[1].eval()
    before = [net[1].running_mean.clone() for net in networks]
    objective()(make_step(networks)[0])
    assert not torch.equal(networks[0][1].running_mean, before[0])
    assert torch.equal(networks[1][1].running_mean, before[1])


def test_strong_views_are_trained_on_and_weak_ones_only_asked():
    networks = [network(0), network(1)]
    weak, _ = make_step(networks)
    strong, _ = make_step(networks)
    pictures = torch.Generator().manual_seed(8)
    for name, batch in strong.batches.items():
        own = tuple(torch.randn(ROWS, 1, 2, 2, generator=pictures) for _ in range(2))
        strong.batches[name] = Batch(batch.rows, batch.views, own)
    asked = objective()._targets(*weak.batches.values(), networks)
    same = objective()._targets(*strong.batches.values(), networks)
    assert torch.equal(asked, same)
    terms = objective()(strong)
    coefficient = draw_coefficient(4.0, np.random.default_rng(5))
    partners = draw_partners(4 * ROWS, torch.Generator().manual_seed(5))
    inputs = torch.cat([v for batch in strong.batches.values() for v in batch.strong])
    mixed = coefficient * inputs + (1 - coefficient) * inputs[partners]
    wanted = coefficient * asked + (1 - coefficient) * asked[partners]
    logs = torch.log_softmax(networks[0](mixed), dim=1)
    expected = -(wanted * logs).sum(dim=1)[: 2 * ROWS]
    assert torch.allclose(terms[0].values, expected, atol=1e-5)
