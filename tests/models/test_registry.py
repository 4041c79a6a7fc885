import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import ferclean
from ferclean.config.training import ModelSettings
from ferclean.errors import FercleanError
from ferclean.models.registry import BACKBONES, build_network

# name: (size, channels, feature width, parameters with 7 classes)
EXPECTED = {
    "tiny48": (48, 1, 128, 241_511),
    "resnet18": (64, 3, 512, 11_180_103),
    "resnet18_3x3": (48, 1, 512, 11_171_271),
    "preact_resnet18": (32, 3, 512, 11_169_735),
    "vgg16": (48, 1, 4096, 117_506_759),
    "resnet50": (64, 3, 2048, 23_522_375),
    "inception_resnet_v1": (80, 3, 512, 23_486_215),
}


def build(name, *, channels=None, size=None, seed=0, classes=7, dropout=0.2):
    if name == "inception_resnet_v1":
        pytest.importorskip("facenet_pytorch")
    return build_network(
        ModelSettings(name=name, dropout=dropout),
        classes=classes,
        channels=EXPECTED[name][1] if channels is None else channels,
        image_size=EXPECTED[name][0] if size is None else size,
        seed=seed,
    )


def pictures(size, channels, batch=2, seed=0):
    stream = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, size, size, generator=stream)


@pytest.fixture(scope="module", params=EXPECTED)
def built(request):
    return request.param, build(request.param)


def test_every_backbone_is_tested():
    assert set(EXPECTED) == set(BACKBONES)


def test_parameter_count(built):
    name, network = built
    assert sum(parameter.numel() for parameter in network.parameters()) == EXPECTED[name][3]


def test_shapes_and_forward_is_classifier_of_features(built):
    name, network = built
    size, channels, width, _ = EXPECTED[name]
    network.eval()
    with torch.no_grad():
        features = network.features(pictures(size, channels))
        logits = network(pictures(size, channels))
        assert features.shape == (2, width) and network.feature_dim == width
        assert logits.shape == (2, 7)
        assert torch.equal(logits, network.classifier(features))
        assert isinstance(network.classifier, torch.nn.Linear)
        assert torch.isfinite(logits).all() and logits.std() > 0


def test_dropout_stands_between_features_and_classifier(built):
    name, network = built
    size, channels, *_ = EXPECTED[name]
    network.eval()
    network.dropout.train()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        features = network.features(pictures(size, channels))
        torch.default_generator.manual_seed(4)
        logits = network(pictures(size, channels))
        torch.default_generator.manual_seed(4)
        dropped = functional.dropout(features, 0.2)
        assert not torch.equal(dropped, features)
        assert torch.equal(logits, network.classifier(dropped))


@pytest.mark.slow
def test_gradient_reaches_every_parameter(built):
    name, network = built
    size, channels, *_ = EXPECTED[name]
    network.train()
    network(pictures(size, channels, batch=4)).square().sum().backward()
    silent = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    network.zero_grad(set_to_none=True)
    assert silent == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "vgg16"])
def test_initial_weights_depend_on_the_seed_alone(name):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = build(name, seed=7).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again = build(name, seed=7).state_dict()
    other = build(name, seed=8).state_dict()
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    stem = f"backbone.{BACKBONES[name].stem}"
    assert not torch.equal(first[stem], other[stem])
    assert not torch.equal(first["classifier.weight"], other["classifier.weight"])


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "vgg16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_colour(name, channels):
    size = EXPECTED[name][0]
    network = build(name, channels=channels, classes=5).eval()
    with torch.no_grad():
        assert network(pictures(size, channels)).shape == (2, 5)
    assert network.state_dict()[f"backbone.{BACKBONES[name].stem}"].shape[1] == channels


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tiny48", 16),
        ("tiny48", 224),
        ("resnet18", 112),
        ("resnet18_3x3", 16),
        ("preact_resnet18", 48),
        ("inception_resnet_v1", 75),
        ("inception_resnet_v1", 112),
    ],
)
def test_sizes(name, size):
    network = build(name, size=size).eval()
    with torch.no_grad():
        assert network(pictures(size, EXPECTED[name][1])).shape == (2, 7)


def test_multiply_adds_of_tiny48():
    network = build("tiny48").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(pictures(48, 1, batch=1))
    assert counter.get_total_flops() == 2 * 10_783_616


@pytest.mark.slow
def test_default_backbone_imports_neither_torchvision_nor_facenet():
    # torchvision alone takes as long to import as torch, in every job of the default run.
    program = (
        "import sys\n"
        "from ferclean.config.training import ModelSettings\n"
        "from ferclean.models.registry import build_network\n"
        "build_network(ModelSettings(), classes=7, channels=1, image_size=48, seed=0)\n"
        "sys.exit(bool({'torchvision', 'facenet_pytorch'} & set(sys.modules)))\n"
    )
    source = Path(ferclean.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_small_stem_keeps_positions():
    network = build("resnet18_3x3").eval()
    maps = []
    network.backbone.layer1.register_forward_hook(lambda *call: maps.append(call[2]))
    with torch.no_grad():
        network(pictures(48, 1))
    assert maps[0].shape == (2, 64, 48, 48)


def test_channels_last_gives_the_same_logits():
    network = build("tiny48").eval()
    faces = pictures(48, 1, batch=8)
    with torch.no_grad():
        expected = network(faces)
        network.to(memory_format=torch.channels_last)
        result = network(faces.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "size"), [("vgg16", 31), ("inception_resnet_v1", 74)])
def test_too_small_faces_are_refused(name, size):
    with pytest.raises(FercleanError, match=f"needs faces of at least {size + 1} pixels"):
        build(name, size=size)


@pytest.mark.parametrize(("classes", "channels"), [(1, 1), (7, 2), (7, 0)])
def test_odd_shapes_are_refused(classes, channels):
    with pytest.raises(FercleanError, match="at least 2 classes and 1 or 3 channels"):
        build("tiny48", classes=classes, channels=channels)


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(FercleanError, match="did you mean 'resnet18'"):
        build_network(ModelSettings(name="resnet_18"), classes=7, channels=1, image_size=48, seed=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_trains_with_deterministic_operations_only(built, monkeypatch):
    name, network = built
    size, channels, *_ = EXPECTED[name]
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    network.to(device="cuda", memory_format=torch.channels_last).train()
    faces = pictures(size, channels, batch=4).cuda()
    faces = faces.contiguous(memory_format=torch.channels_last)
    torch.use_deterministic_algorithms(True)
    try:
        for dtype in (torch.float32, torch.bfloat16):
            with torch.autocast("cuda", dtype=dtype, enabled=dtype is torch.bfloat16):
                loss = network(faces).float().square().sum()
            loss.backward()
    finally:
        torch.use_deterministic_algorithms(False)
        network.zero_grad(set_to_none=True)
        network.cpu()
