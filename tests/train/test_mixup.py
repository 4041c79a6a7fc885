import numpy as np
import pytest
import torch

from ferclean.losses.classification import cross_entropy
from ferclean.train.mixup import draw_coefficient, draw_partners, mix, mixup_objective
from ferclean.train.passes import Batch, Step


def test_coefficient_is_folded_and_reproducible():
    drawn = [draw_coefficient(4.0, np.random.default_rng(s)) for s in range(200)]
    assert min(drawn) >= 0.5 and max(drawn) <= 1
    beta = np.random.default_rng(3).beta(4.0, 4.0)
    assert draw_coefficient(4.0, np.random.default_rng(3)) == max(beta, 1 - beta)
    assert drawn[:5] == [draw_coefficient(4.0, np.random.default_rng(s)) for s in range(5)]


def test_partners_are_a_permutation():
    partners = draw_partners(20, torch.Generator().manual_seed(0))
    assert sorted(partners.tolist()) == list(range(20))


def test_mix_equals_a_naive_loop():
    values = torch.arange(6.0).reshape(3, 2)
    mixed = mix(values, torch.tensor([2, 0, 1]), 0.7)
    naive = 0.7 * values + 0.3 * torch.stack([values[2], values[0], values[1]])
    assert torch.allclose(mixed, naive)


def test_warm_up_objective_is_smr_stage_a():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    pictures = torch.randn(5, 1, 2, 2)
    labels = torch.tensor([9, 0, 1, 2, 0, 1])  # row 0 is not in the batch
    rows = torch.arange(1, 6)
    step = Step(
        {"all": Batch(rows, (pictures,))},
        [network],
        0.0,
        np.random.default_rng(7),
        torch.Generator().manual_seed(7),
    )
    (term,) = mixup_objective(labels, 0, alpha=4.0)(step)
    coefficient = draw_coefficient(4.0, np.random.default_rng(7))
    partners = draw_partners(5, torch.Generator().manual_seed(7))
    for i in range(5):
        j = int(partners[i])
        z = network((coefficient * pictures[i] + (1 - coefficient) * pictures[j])[None])
        naive = coefficient * cross_entropy(z, labels[rows[i]][None])
        naive = naive + (1 - coefficient) * cross_entropy(z, labels[rows[j]][None])
        assert term.values[i].item() == pytest.approx(naive.item(), rel=1e-4)
