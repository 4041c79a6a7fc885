import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ferclean.losses.latent_distribution import (
    branch_cross_entropy,
    latent_distribution,
    latent_error,
    ramp_down,
    ramp_up,
    similarity_error,
)

CLASSES = 4


def draw(seed, rows):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, CLASSES, CLASSES, generator=generator) * 2
    logits[:, range(CLASSES), range(CLASSES)] = -torch.inf
    labels = torch.randint(CLASSES, (rows,), generator=generator)
    return logits, labels, generator


def without(values, index):
    return [value for k, value in enumerate(values.tolist()) if k != index]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9))
def test_a_branch_learns_from_the_rows_of_other_labels_among_its_own_classes(seed, rows):
    logits, labels, _ = draw(seed, rows)
    expected = []
    for c in range(CLASSES):
        losses = []
        for i in range(rows):
            if labels[i] != c:
                known = torch.tensor(without(logits[i, c], c))
                target = int(labels[i]) - (labels[i] > c).int()
                losses.append(functional.cross_entropy(known, target.long()).item())
        if losses:
            expected.append(sum(losses) / len(losses))
    found = branch_cross_entropy(logits, labels)
    assert found.tolist() == pytest.approx(expected, rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([0.5, 1.0, 1.2]))
def test_latent_distributions_are_the_sharpened_words_of_the_labels_own_branch(
    seed, rows, temperature
):
    logits, labels, generator = draw(seed, rows)
    latent = latent_distribution(logits, labels, temperature)
    target = torch.randn(rows, CLASSES, generator=generator)
    errors = latent_error(target, labels, latent)
    for i, label in enumerate(labels.tolist()):
        p = torch.tensor(without(logits[i, label], label)).softmax(0) ** (1 / temperature)
        assert without(latent[i], label) == pytest.approx((p / p.sum()).tolist(), rel=1e-4)
        assert latent[i, label] == 0
        q = target[i].softmax(0)
        naive = sum((q[k] - latent[i, k]) ** 2 for k in range(CLASSES) if k != label) / CLASSES
        assert errors[i].item() == pytest.approx(naive.item(), rel=1e-4)


def test_latent_distributions_teach_the_target_branch_only():
    logits, labels, generator = draw(0, 6)
    logits.requires_grad_()
    target = torch.randn(6, CLASSES, generator=generator, requires_grad=True)
    latent = latent_distribution(logits, labels, 1.2)
    latent_error(target, labels, latent).sum().backward()
    assert logits.grad is None and target.grad.abs().sum() > 0


def test_no_gradient_is_lost_to_infinity():
    logits, labels, _ = draw(1, 8)
    logits.requires_grad_()
    branch_cross_entropy(logits, labels).mean().backward()
    assert logits.grad.isfinite().all()
    assert (logits.grad[torch.arange(8), labels] == 0).all()  # the branch learns not from them
    assert (logits.grad.abs().sum(dim=(1, 2)) > 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9))
def test_similarities_pair_by_pair(seed, rows):
    _, labels, generator = draw(seed, rows)
    branches = torch.randn(rows, CLASSES, 3, generator=generator)
    target = torch.randn(rows, 5, generator=generator)
    expected = []
    for c in range(CLASSES):
        chosen = [i for i in range(rows) if labels[i] != c]
        total = 0.0
        for i in chosen:
            own = [float(branches[i, c] @ branches[j, c]) for j in chosen]
            other = [float(target[i] @ target[j]) for j in chosen]
            for a, b in zip(own, other, strict=True):
                total += (a / math.hypot(*own) - b / math.hypot(*other)) ** 2
        if chosen:
            expected.append(total / len(chosen) ** 2)
    found = similarity_error(branches, target, labels)
    assert found.tolist() == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_a_batch_of_one_class_leaves_its_own_branch_out():
    logits, _, generator = draw(2, 3)
    labels = torch.full((3,), 1)
    assert branch_cross_entropy(logits, labels).shape == (CLASSES - 1,)
    branches = torch.randn(3, CLASSES, 2, generator=generator)
    assert similarity_error(branches, torch.zeros(3, 5), labels).shape == (CLASSES - 1,)
    assert similarity_error(branches, torch.zeros(3, 5), labels).isfinite().all()


@pytest.mark.parametrize("length", [1, 4, 9])
def test_the_ramp_down_is_one_and_then_falls_with_the_share_of_later_epochs(length):
    for epoch in range(1, 40):
        later = max(epoch - length, 0) / epoch
        assert ramp_down(epoch, length) == pytest.approx(math.exp(-(later**2)))


def test_ramps_are_the_authors():
    assert ramp_up(0, 9) == pytest.approx(math.exp(-5))
    assert ramp_up(3, 9) == pytest.approx(math.exp(-5 * (2 / 3) ** 2))
    assert [ramp_up(9, 9), ramp_up(30, 9)] == [1, 1]
    assert [ramp_down(0, 9), ramp_down(8, 9), ramp_down(9, 9)] == [1, 1, 1]
    assert ramp_down(18, 9) == pytest.approx(math.exp(-0.25))
