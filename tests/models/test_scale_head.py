import pytest
import torch
from torch.nn import functional

from ferclean.errors import FercleanError
from ferclean.models.scale_head import PARAMETRISATIONS, ScaleHead

FEATURES = torch.randn((5, 8), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", PARAMETRISATIONS)
def test_every_scale_starts_at_the_wanted_one_and_learns(name):
    head = ScaleHead(8, 3, parametrisation=name, start=0.3)
    found = head(FEATURES)
    torch.testing.assert_close(found, torch.full((5, 3), 0.3))
    found.sum().backward()
    assert (head.bias.grad > 0).all() and head.weight.grad.abs().sum() > 0


def spread(name):
    # A text built at run time is another object: the library compares such names by identity.
    head = ScaleHead(8, 3, parametrisation="".join(list(name)), start=0.3)
    torch.nn.init.normal_(head.weight, generator=torch.Generator().manual_seed(1))
    return head(FEATURES), functional.linear(FEATURES, head.weight, head.bias)


def test_each_parametrisation_gives_standard_deviations():
    found, raw = spread("linear_std")
    torch.testing.assert_close(found, functional.softplus(raw))  # no root of a deviation
    found, raw = spread("logit")
    torch.testing.assert_close(found, raw.exp())
    found, raw = spread("linear_variance")
    torch.testing.assert_close(found.square(), functional.softplus(raw))


@pytest.mark.parametrize("name", PARAMETRISATIONS)
@pytest.mark.parametrize("value", [-1e4, 1e4])
def test_extreme_maps_keep_values_and_gradients_finite(name, value):
    head = ScaleHead(8, 3, parametrisation=name, start=0.3)
    torch.nn.init.constant_(head.bias, value)
    found = head(FEATURES)
    found.sum().backward()
    assert torch.isfinite(found).all() and (found >= 0).all()
    assert torch.isfinite(head.bias.grad).all()


def test_an_unknown_parametrisation_is_named():
    with pytest.raises(FercleanError, match="linear_std"):
        ScaleHead(8, 3, parametrisation="std", start=0.3)
