import pytest
import torch
from torch import nn

from ferclean.errors import FercleanError
from ferclean.models.autoencoder import build_autoencoder


def build(name="tiny", **changes):
    shape = {"code_dimensions": 7, "channels": 1, "image_size": 48, "seed": 0, **changes}
    return build_autoencoder(name, **shape)


@pytest.mark.parametrize("name", ["tiny", "vgg10"])
@pytest.mark.parametrize(("size", "channels"), [(48, 1), (33, 3), (64, 3)])
def test_code_and_reconstruction_have_the_promised_shapes(name, size, channels):
    network = build(name, image_size=size, channels=channels, code_dimensions=5)
    code, back = network(torch.randn(2, channels, size, size))
    assert code.shape == (2, 5)
    assert back.shape == (2, channels, size, size)
    assert back.min() >= 0 and back.max() <= 1


@pytest.mark.parametrize("size", range(8, 26))
def test_the_small_one_gives_back_every_size(size):
    with torch.no_grad():
        _, back = build(image_size=size).eval()(torch.randn(1, 1, size, size))
    assert back.shape[2:] == (size, size)


def widths(modules, kind):
    return [m.out_channels for m in modules if isinstance(m, kind)]


def test_vgg10_has_eight_convolutions_two_full_layers_and_their_mirror_image():
    network = build("vgg10", channels=3, image_size=224)
    assert widths(network.encoder, nn.Conv2d) == [64, 128, 256, 256, 512, 512, 512, 512]
    assert sum(isinstance(m, nn.MaxPool2d) for m in network.encoder) == 5
    assert [m.out_features for m in network.encoder if isinstance(m, nn.Linear)] == [512, 7]
    assert widths(network.decoder, nn.Conv2d) == [512, 512, 512, 256, 256, 128, 64, 3]
    assert [m.out_features for m in network.decoder if isinstance(m, nn.Linear)] == [
        512,
        512 * 7 * 7,
    ]


def test_the_seed_decides_the_weights_and_nothing_else_is_touched():
    before = torch.random.get_rng_state()
    first, again, other = build(seed=1), build(seed=1), build(seed=2)
    assert torch.equal(torch.random.get_rng_state(), before)
    pairs = list(zip(first.parameters(), again.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    weights = (first.encoder[0].weight, other.encoder[0].weight)
    assert not torch.equal(*weights)


def test_it_learns_to_draw_what_it_saw():
    torch.manual_seed(0)
    pictures = torch.zeros(8, 1, 16, 16)
    for row in range(8):
        pictures[row, 0, 2 * row : 2 * row + 2] = 1.0
    network = build(image_size=16)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    errors = []
    for _ in range(80):
        optimizer.zero_grad()
        error = (network(pictures)[1] - pictures).square().mean()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.3 * errors[0]


def test_wrong_names_and_sizes_are_named():
    with pytest.raises(FercleanError, match=r"embedding\.encoder"):
        build("vgg11")
    with pytest.raises(FercleanError, match="at least 32 pixels, found 24"):
        build("vgg10", image_size=24)
