import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ferclean.losses.similarity import agreement_error, clamp_weight, label_similarity, look_up
from ferclean.partition.scores import similarity_score


def draw(seed, rows=6, classes=4):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator) * 4
    return logits, torch.randint(classes, (rows,), generator=generator)


@given(st.integers(0, 10**6))
def test_similarity_is_the_partitions(seed):
    logits, targets = draw(seed)
    expected = similarity_score(logits.double().softmax(1).numpy(), targets.numpy())
    np.testing.assert_allclose(label_similarity(logits, targets), expected, rtol=1e-4)


@pytest.mark.parametrize("type_", [torch.float32, torch.bfloat16, torch.float16])
def test_similarity_at_its_ends(type_):
    logits = torch.tensor([[60.0, 0, 0], [60.0, 0, 0], [1.0, 1, 1]]).to(type_)
    found = label_similarity(logits, torch.tensor([0, 1, 2]))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor([1, 0, 1 / math.sqrt(3)]), atol=1e-6, rtol=0)
    assert (found <= 1).all()


def test_the_table_is_read_at_the_hundredth_below():
    tables = torch.arange(300.0).reshape(3, 100)
    similarity = torch.tensor([0.0, 0.0099, 0.0101, 0.505, 0.9999, 1.0])
    assert look_up(tables, similarity).tolist() == [0, 0, 1, 50, 99, 99]
    group = torch.tensor([2, 1, 0, 1, 2, 0])
    assert look_up(tables, similarity, group).tolist() == [200, 100, 1, 150, 299, 99]


def test_weights_carry_no_gradient_and_never_reach_0_or_1():
    logits, targets = draw(0)
    logits.requires_grad_()
    weights = clamp_weight(label_similarity(logits, targets))
    assert not weights.requires_grad
    assert not look_up(torch.rand(1, 100), label_similarity(logits, targets)).requires_grad
    ends = clamp_weight(torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(ends, torch.tensor([1e-4, 0.5, 1 - 1e-4]))


def test_agreement_is_the_mean_squared_difference_and_moves_both_networks():
    (first, _), (second, _) = draw(1), draw(2)
    first.requires_grad_()
    second.requires_grad_()
    found = agreement_error(first, second)
    for i in range(len(first)):
        p, q = first[i].softmax(0).tolist(), second[i].softmax(0).tolist()
        naive = sum((p[k] - q[k]) ** 2 for k in range(4)) / 4
        assert found[i].item() == pytest.approx(naive, rel=1e-4)
    found.sum().backward()
    assert first.grad.abs().sum() > 0 and second.grad.abs().sum() > 0
    assert (agreement_error(first, first) == 0).all()
