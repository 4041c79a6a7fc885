import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ferclean.losses.classification import (
    cross_entropy,
    negative_entropy,
    squared_error,
    uniform_prior_penalty,
)


def naive_softmax(row):
    top = max(row)
    powers = [math.exp(value - top) for value in row]
    return [power / sum(powers) for power in powers]


@pytest.fixture
def logits():
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(0)) * 3


def test_cross_entropy_with_classes_equals_a_naive_loop(logits):
    targets = torch.tensor([0, 1, 2, 3, 0, 1])
    naive = [-math.log(naive_softmax(z)[t]) for z, t in zip(logits.tolist(), targets, strict=True)]
    assert cross_entropy(logits, targets).tolist() == pytest.approx(naive, rel=1e-5)


def test_cross_entropy_with_distributions_equals_a_naive_loop(logits):
    targets = torch.softmax(torch.randn(6, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    naive = [
        -sum(t * math.log(p) for t, p in zip(row, naive_softmax(z), strict=True))
        for z, row in zip(logits.tolist(), targets.tolist(), strict=True)
    ]
    assert cross_entropy(logits, targets).tolist() == pytest.approx(naive, rel=1e-5)


def test_squared_error_equals_a_naive_loop(logits):
    targets = torch.softmax(torch.randn(6, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    naive = [
        sum((p - t) ** 2 for t, p in zip(row, naive_softmax(z), strict=True)) / 4
        for z, row in zip(logits.tolist(), targets.tolist(), strict=True)
    ]
    assert squared_error(logits, targets).tolist() == pytest.approx(naive, rel=1e-4)


def test_prior_penalty_equals_a_naive_loop(logits):
    rows = [naive_softmax(z) for z in logits.tolist()]
    means = [sum(row[k] for row in rows) / len(rows) for k in range(4)]
    naive = sum(0.25 * math.log(0.25 / mean) for mean in means)
    assert uniform_prior_penalty(logits).tolist() == pytest.approx([naive], rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(arrays("float32", (5, 3), elements=st.floats(-80, 80, width=32)))
def test_prior_penalty_is_never_negative_and_zero_when_uniform(values):
    assert uniform_prior_penalty(torch.from_numpy(values)).item() >= -1e-5
    assert uniform_prior_penalty(torch.zeros(4, 3)).item() == pytest.approx(0.0, abs=1e-6)


def test_prior_penalty_stays_finite_when_a_class_is_never_predicted():
    collapsed = torch.tensor([[200.0, 0.0, 0.0]] * 3)
    assert torch.isfinite(uniform_prior_penalty(collapsed)).all()


def test_losses_accept_half_precision_and_return_single(logits):
    assert cross_entropy(logits.bfloat16(), torch.zeros(6, dtype=torch.long)).dtype == torch.float32


def test_negative_entropy_equals_a_naive_loop_and_has_its_ends(logits):
    naive = [sum(p * math.log(p) for p in naive_softmax(z)) for z in logits.tolist()]
    assert negative_entropy(logits).tolist() == pytest.approx(naive, rel=1e-4)
    ends = negative_entropy(torch.tensor([[0.0, 0.0, 0.0, 0.0], [900.0, 0.0, 0.0, -900.0]]))
    assert ends.tolist() == pytest.approx([-math.log(4), 0.0])
