import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr, softmax
from torch.nn import functional

from ferclean.losses.divergences import divergence_from_target, divergence_to_target


def draw(seed, rows=6, classes=4):
    random = np.random.default_rng(seed)
    target = random.dirichlet(np.full(classes, 0.5), size=rows).astype(np.float32)
    return random.normal(size=(rows, classes)).astype(np.float32) * 3, target


@given(st.integers(0, 10**6))
def test_divergences_are_scipys(seed):
    logits, target = draw(seed)
    p = softmax(logits.astype(float), axis=1)
    tensors = torch.from_numpy(logits), torch.from_numpy(target)
    np.testing.assert_allclose(
        divergence_from_target(*tensors), rel_entr(target, p).sum(axis=1), atol=1e-4
    )
    kept = np.maximum(target, 1e-8)
    np.testing.assert_allclose(
        divergence_to_target(*tensors), rel_entr(p, kept).sum(axis=1), atol=1e-4, rtol=1e-4
    )


def test_targets_of_zero_that_take_part_in_the_gradient_keep_it_finite():
    logits = torch.zeros(1, 3, requires_grad=True)
    target = torch.tensor([[0.0, 0.4, 0.6]], requires_grad=True)
    divergence_from_target(logits, target).sum().backward()
    assert logits.grad.isfinite().all() and target.grad.isfinite().all()


def test_from_target_is_torchs_kl_div_and_one_hot_targets_give_cross_entropy():
    logits, target = map(torch.from_numpy, draw(0))
    expected = functional.kl_div(logits.log_softmax(1), target, reduction="none").sum(1)
    torch.testing.assert_close(divergence_from_target(logits, target), expected)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    one_hot = functional.one_hot(labels, 4).float()
    torch.testing.assert_close(
        divergence_from_target(logits, one_hot),
        functional.cross_entropy(logits, labels, reduction="none"),
    )


@pytest.mark.parametrize("divergence", [divergence_from_target, divergence_to_target])
def test_no_divergence_from_itself_and_finite_gradients_at_certainty(divergence):
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        divergence(logits, logits.softmax(1)), torch.zeros(5), atol=1e-6, rtol=0
    )
    sure = torch.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
    target = torch.tensor([[0.0, 1.0, 0.0]], requires_grad=True)
    divergence(sure, target).sum().backward()
    assert torch.isfinite(sure.grad).all()


def test_weighted_divergences_from_neighbours_differ_from_that_of_their_mean_by_a_constant():
    """What LDL-ALSG's recipe relies on: the gradients are equal."""
    logits = torch.randn(1, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    random = np.random.default_rng(0)
    near = torch.from_numpy(random.dirichlet(np.ones(4), size=3).astype(np.float32))
    weights = torch.tensor([0.2, 0.3, 0.5])
    each = divergence_from_target(logits.expand(3, -1), near)
    apart = torch.autograd.grad((weights * each).sum(), logits)[0]
    together = divergence_from_target(logits, (weights[:, None] * near).sum(0, keepdim=True))
    torch.testing.assert_close(apart, torch.autograd.grad(together.sum(), logits)[0])
