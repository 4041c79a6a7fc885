import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ferclean.losses.transition import forward_cross_entropy, mixture_cross_entropy


def draw(seed, rows=6, annotators=3, classes=4):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator) * 2
    matrices = torch.rand(annotators, classes, classes, generator=generator)
    matrices = matrices / matrices.sum(dim=2, keepdim=True)
    return logits, matrices, torch.randint(-1, classes, (rows, annotators), generator=generator)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_every_label_given_counts_through_its_annotators_matrix(seed):
    logits, matrices, labels = draw(seed)
    found = forward_cross_entropy(logits, matrices, labels)
    for i, p in enumerate(logits.softmax(1)):
        naive = 0.0
        for a, label in enumerate(labels[i].tolist()):
            if label >= 0:
                naive -= math.log(sum(float(p[k] * matrices[a, k, label]) for k in range(4)))
        assert found[i].item() == pytest.approx(naive, rel=1e-4, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_with_identities_it_is_the_mixture(seed):
    logits, _, labels = draw(seed)
    mixture = mixture_cross_entropy(logits, labels)
    expected = [
        sum(functional.cross_entropy(z, y) for y in row if y >= 0)
        for z, row in zip(logits, labels, strict=True)
    ]
    assert mixture.tolist() == pytest.approx([float(e) for e in expected], rel=1e-4, abs=1e-6)
    identities = torch.eye(4).repeat(3, 1, 1)
    torch.testing.assert_close(forward_cross_entropy(logits, identities, labels), mixture)


def test_a_row_that_nobody_labelled_teaches_nothing():
    logits, matrices, labels = draw(0)
    labels[2] = -1
    logits.requires_grad_()
    losses = forward_cross_entropy(logits, matrices, labels)
    losses.sum().backward()
    assert losses[2] == 0 and (logits.grad[2] == 0).all() and logits.grad[0].abs().sum() > 0


def test_an_impossible_label_is_finite():
    logits = torch.tensor([[200.0, 0.0]], requires_grad=True)
    loss = forward_cross_entropy(logits, torch.eye(2)[None], torch.tensor([[1]]))
    loss.sum().backward()
    assert 60 < loss.item() < 100 and logits.grad.isfinite().all()
