import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.losses.attention import attention_consistency, class_activation_maps


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_maps_and_consistency_place_by_place(seed, rows, height, width):
    generator = torch.Generator().manual_seed(seed)
    both = torch.randn(2, rows, 4, height, width, generator=generator)
    weights = torch.randn(3, 4, generator=generator)
    first, second = (class_activation_maps(maps, weights) for maps in both)
    found = attention_consistency(first, second)
    for i in range(rows):
        total = 0.0
        for k in range(3):
            for y in range(height):
                for x in range(width):
                    own = sum(weights[k, d] * both[0, i, d, y, x] for d in range(4))
                    other = sum(weights[k, d] * both[1, i, d, y, width - 1 - x] for d in range(4))
                    total += float(own - other) ** 2
        assert found[i].item() == pytest.approx(total / (3 * height * width), rel=1e-3, abs=1e-6)


def test_the_mean_of_a_map_is_the_logit_without_bias():
    maps, classifier = torch.randn(2, 6, 3, 3), torch.nn.Linear(6, 4, bias=False)
    attention = class_activation_maps(maps, classifier.weight)
    torch.testing.assert_close(attention.mean((2, 3)), classifier(maps.mean((2, 3))))


def test_the_classifier_is_not_bent_and_both_pictures_are():
    weights = torch.randn(3, 4, requires_grad=True)
    maps = torch.randn(2, 1, 4, 2, 2, requires_grad=True)
    attention = [class_activation_maps(one, weights) for one in maps]
    attention_consistency(*attention).sum().backward()
    assert weights.grad is None and (maps.grad.abs().sum(dim=(1, 2, 3, 4)) > 0).all()
