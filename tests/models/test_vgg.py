import pytest
import torch
from torch.nn import functional

from ferclean.config.training import ModelSettings
from ferclean.models.registry import build_network
from ferclean.models.vgg import FixedAveragePool


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 7, 8, 11, 16])
def test_pool_equals_adaptive_pooling_with_its_gradient(size):
    maps = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(size))
    maps.requires_grad_()
    pooled = FixedAveragePool(size, 7)(maps)
    expected = functional.adaptive_avg_pool2d(maps, 7)
    torch.testing.assert_close(pooled, expected)
    along = torch.randn(expected.shape, generator=torch.Generator().manual_seed(0))
    ours = torch.autograd.grad(pooled, maps, along)[0]
    theirs = torch.autograd.grad(expected, maps, along)[0]
    torch.testing.assert_close(ours, theirs)


@pytest.mark.slow
def test_features_are_the_first_fully_connected_layer_after_relu():
    network = build_network(
        ModelSettings(name="vgg16"), classes=7, channels=1, image_size=64, seed=0
    ).eval()
    body = network.backbone
    faces = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = functional.adaptive_avg_pool2d(body.features(faces), 7).flatten(1)
        layer = body.classifier[0]
        expected = functional.relu(functional.linear(maps, layer.weight, layer.bias))
        result = network.features(faces)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)
    assert (result >= 0).all() and (result > 0).any()
    assert not any("matrix" in key for key in network.state_dict())
