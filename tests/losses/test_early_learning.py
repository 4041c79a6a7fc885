import math

import pytest
import torch

from ferclean.losses.early_learning import (
    clipped_prediction,
    early_learning_penalty,
    moved_target,
)


def draw():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=generator) * 5
    return logits, torch.rand(6, 4, generator=generator) / 4


def test_target_and_penalty_equal_the_authors_loop():
    logits, targets = draw()
    prediction = clipped_prediction(logits)
    moved = moved_target(targets, prediction, 0.7)
    penalty = early_learning_penalty(prediction, moved)
    for i, row in enumerate(logits.tolist()):
        total = sum(math.exp(z) for z in row)
        p = [min(max(math.exp(z) / total, 1e-4), 1 - 1e-4) for z in row]
        t = [0.7 * float(targets[i, k]) + 0.3 * p[k] / sum(p) for k in range(4)]
        assert moved[i].tolist() == pytest.approx(t, rel=1e-4)
        inner = sum(a * b for a, b in zip(t, p, strict=True))
        assert float(penalty[i]) == pytest.approx(math.log(1 - inner), rel=1e-3, abs=1e-6)


def test_targets_of_many_classes_sum_to_one_although_predictions_are_clipped():
    logits = torch.zeros(2, 200)
    logits[:, 7] = 50.0
    prediction = clipped_prediction(logits)
    assert (prediction.sum(dim=1) > 1.01).all()
    moved = moved_target(torch.full((2, 200), 1 / 200), prediction, 0.3)
    torch.testing.assert_close(moved.sum(dim=1), torch.ones(2))


def test_the_penalty_draws_the_prediction_to_the_target_and_the_target_stays():
    logits = torch.zeros(1, 3, requires_grad=True)
    target = torch.tensor([[0.8, 0.1, 0.1]])
    prediction = clipped_prediction(logits)
    early_learning_penalty(prediction, target).sum().backward()
    assert logits.grad[0, 0] < 0 < logits.grad[0, 1]
    assert not moved_target(target, prediction, 0.5).requires_grad


def test_a_sure_prediction_that_meets_its_target_stays_finite():
    logits = torch.tensor([[200.0, -200.0, 0.0]], requires_grad=True)
    prediction = clipped_prediction(logits)
    value = early_learning_penalty(prediction, moved_target(prediction, prediction, 1.0))
    value.sum().backward()
    assert value.item() == pytest.approx(math.log(1 - (1 - 1e-4) ** 2), rel=0.01)
    assert torch.isfinite(logits.grad).all()


def test_nothing_predicted_yet_costs_nothing_and_half_precision_becomes_single():
    logits, targets = draw()
    prediction = clipped_prediction(logits.to(torch.bfloat16))
    assert prediction.dtype == torch.float32
    assert (early_learning_penalty(prediction, torch.zeros_like(targets)) == 0).all()
