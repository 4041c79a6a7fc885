import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.losses.contrastive import contrastive_loss


def naive(first, second, temperature):
    """SimCLR's equation 1 in plain loops."""

    def cosine(a, b):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))

    points = first.tolist() + second.tolist()
    half, losses = len(first), []
    for i, own in enumerate(points):
        partner = i + half if i < half else i - half
        powers = [
            math.exp(cosine(own, other) / temperature) for k, other in enumerate(points) if k != i
        ]
        losses.append(-math.log(math.exp(cosine(own, points[partner]) / temperature) / sum(powers)))
    return losses


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 6),
    width=st.integers(2, 5),
    temperature=st.sampled_from([0.05, 0.5, 2.0]),
    seed=st.integers(0, 1000),
)
def test_equals_a_naive_loop(batch, width, temperature, seed):
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, batch, width, generator=generator)
    found = contrastive_loss(first, second, temperature)
    assert found.tolist() == pytest.approx(naive(first, second, temperature), abs=2e-4, rel=1e-3)
    assert (found >= 0).all()


def test_views_that_agree_cost_less_and_length_does_not_count():
    points = torch.eye(4)
    alike = contrastive_loss(points, points, 0.1)
    apart = contrastive_loss(points, points.roll(1, dims=0), 0.1)
    assert (alike < apart).all()
    assert torch.allclose(contrastive_loss(points * 7, points * 0.2, 0.1), alike)


def test_one_picture_has_nothing_to_be_told_from():
    assert contrastive_loss(torch.randn(1, 3), torch.randn(1, 3), 0.05).tolist() == [0.0, 0.0]
